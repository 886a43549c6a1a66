export { type QueueOverrides, TaskService, type TaskServiceProps } from './task-service.ts';
export { type QueuePair, TaskQueues, type TaskQueuesProps } from './queues.ts';
export { TaskTables, type TaskTablesProps } from './tables.ts';
