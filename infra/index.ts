export type { TaskBundling } from './bundling.ts';
export { loadApp } from './load-app.ts';
export type { ExistingQueue } from './existing-queues.ts';
export type { ExistingTables } from './existing-tables.ts';
export type { FunctionProps, SweeperOverrides } from './function-props.ts';
export type { LambdaOptions } from './lambda-options.ts';
export type { Preset, PresetProps, ServiceSettings } from './preset.ts';
export type { QueueOverrides } from './plan.ts';
export type { PayloadKey } from './payload-keys.ts';
export type { TaskSecret } from './secrets.ts';
export type { GivenTo } from './service-functions.ts';
export type { TaskServiceAttributes } from './imported-attributes.ts';
export type { ITaskService } from './service-access.ts';
export { TaskService, type TaskServiceProps } from './task-service.ts';
export { type QueueLane, type QueuePair, TaskQueues, type TaskQueuesProps } from './queues.ts';
export { TaskTables, type TaskTablesProps } from './tables.ts';
export type { TaskAlarmsOptions } from './alarm-options.ts';
export { TaskAlarms } from './alarms.ts';
export { TaskDashboard } from './dashboard.ts';
export { MeteredService, type QueueMetricOptions, type ServiceMetric } from './metrics.ts';
export {
  type CloudFormationResource,
  type CloudFormationTemplate,
  type SynthesizedTemplate,
  synthesizeTemplate,
  type TemplateOptions,
} from './template.ts';
export type { AddedStatusUrl, StatusUrlOptions } from './status-url.ts';
export type { NotifyOptions, ProcessNotifyOptions } from './notify.ts';
export type { AddedMonitor, MonitorAuth, MonitorOidc, MonitorOptions, MonitorRoles } from './monitor.ts';
