/** Celery's settings of tasks, and those without a namespace. */
import type { SettingGroup } from './setting.ts';

const JSON_ONLY = ['json', 'application/json'];

export const TASK_SETTINGS: readonly SettingGroup[] = [
  {
    here: 'defaultQueue, and the queue is added to queues',
    to: 'defaultQueue',
    settings: [['task_default_queue', 'CELERY_DEFAULT_QUEUE', 'celery']],
  },
  {
    here: 'queues; a name that ends in .fifo makes a FIFO queue',
    to: 'queues',
    settings: [['task_queues', 'CELERY_QUEUES']],
  },
  {
    here: 'routes, with queue and priority; the queues that they name are added to queues',
    to: 'routes',
    settings: [['task_routes', 'CELERY_ROUTES']],
  },
  {
    here: 'queues: where it is false, routes to a queue that task_queues does not have are refused',
    to: 'missingQueues',
    settings: [['task_create_missing_queues', 'CELERY_CREATE_MISSING_QUEUES', true]],
  },
  { here: 'timezone', to: 'timezone', settings: [['timezone', 'CELERY_TIMEZONE']] },
  { here: 'alwaysEager', flag: 'alwaysEager', settings: [['task_always_eager', 'CELERY_ALWAYS_EAGER', false]] },
  {
    here: 'eagerPropagates',
    flag: 'eagerPropagates',
    settings: [['task_eager_propagates', 'CELERY_EAGER_PROPAGATES_EXCEPTIONS', false]],
  },
  {
    here: 'acksLate, which is true where the setting is absent',
    flag: 'acksLate',
    settings: [['task_acks_late', 'CELERY_ACKS_LATE', false]],
  },
  { here: 'trackStarted', flag: 'trackStarted', settings: [['task_track_started', 'CELERY_TRACK_STARTED', false]] },
  { here: 'ignoreResult', flag: 'ignoreResult', settings: [['task_ignore_result', 'CELERY_IGNORE_RESULT', false]] },
  {
    here: 'storeErrorsEvenIfIgnored, which is true where the setting is absent',
    flag: 'storeErrorsEvenIfIgnored',
    settings: [['task_store_errors_even_if_ignored', 'CELERY_STORE_ERRORS_EVEN_IF_IGNORED', false]],
  },
  { here: 'retry', flag: 'retry', settings: [['task_publish_retry', 'CELERY_TASK_PUBLISH_RETRY', true]] },
  {
    here: 'retryPolicy: maxRetries, intervalStart, intervalStep and intervalMax',
    to: 'retryPolicy',
    settings: [
      [
        'task_publish_retry_policy',
        'CELERY_TASK_PUBLISH_RETRY_POLICY',
        { max_retries: 3, interval_start: 0, interval_max: 1, interval_step: 0.2 },
      ],
    ],
  },
  {
    here: 'times are always in UTC; give schedules another time zone with timezone',
    settings: [['enable_utc', 'ENABLE_UTC', true]],
  },
  {
    here: 'the module that declares the tasks is passed to TaskService as entry',
    settings: [
      ['imports', 'CELERY_IMPORTS', []],
      ['include', 'CELERY_INCLUDE', []],
    ],
  },
  {
    here: 'messages and results are JSON, and nothing else is read; pass plain data',
    same: [...JSON_ONLY, JSON_ONLY, ...JSON_ONLY.map((type) => [type])],
    settings: [
      ['accept_content', 'CELERY_ACCEPT_CONTENT', ['json']],
      ['result_accept_content', 'RESULT_ACCEPT_CONTENT'],
      ['task_serializer', 'CELERY_TASK_SERIALIZER', 'json'],
      ['result_serializer', 'CELERY_RESULT_SERIALIZER', 'json'],
      ['event_serializer', 'CELERY_EVENT_SERIALIZER', 'json'],
    ],
  },
  {
    here: 'messages and results are not compressed; store what is too large elsewhere and pass a reference',
    settings: [
      ['task_compression', 'CELERY_MESSAGE_COMPRESSION'],
      ['result_compression', 'CELERY_RESULT_COMPRESSION'],
    ],
  },
  {
    here: 'messages are written in protocol 2, and protocols 1 and 2 are read; leave it out',
    settings: [['task_protocol', 'CELERY_TASK_PROTOCOL', 2]],
  },
  {
    here: 'a limit is an option of each task; give it timeLimit and softTimeLimit',
    settings: [
      ['task_time_limit', 'CELERYD_TASK_TIME_LIMIT'],
      ['task_soft_time_limit', 'CELERYD_TASK_SOFT_TIME_LIMIT'],
    ],
  },
  {
    here: 'options are given to each task where it is declared, as in app.task(name, options, run)',
    settings: [['task_annotations', 'CELERY_ANNOTATIONS']],
  },
  {
    here: 'rateLimit; Celery counts in each worker process, here all workers count together',
    to: 'rateLimit',
    settings: [['task_default_rate_limit', 'CELERY_DEFAULT_RATE_LIMIT']],
  },
  {
    here: 'rates hold where rateLimit gives one; leave it out, of the app and of its tasks',
    settings: [['worker_disable_rate_limits', 'CELERY_DISABLE_RATE_LIMITS', false]],
  },
  {
    here: 'priorities are lanes of a queue: queues: { mail: { priorities: [0, 5], defaultPriority: 0 } }',
    settings: [
      ['task_default_priority', 'CELERY_DEFAULT_PRIORITY'],
      ['task_inherit_parent_priority', 'CELERY_INHERIT_PARENT_PRIORITY', false],
      ['task_queue_max_priority', 'CELERY_QUEUE_MAX_PRIORITY'],
    ],
  },
  {
    here: 'SQS has no exchanges, routing keys or queue types; a message goes to a queue by its name, set in queues and routes',
    settings: [
      ['task_default_exchange', 'CELERY_DEFAULT_EXCHANGE'],
      ['task_default_exchange_type', 'CELERY_DEFAULT_EXCHANGE_TYPE', 'direct'],
      ['task_default_routing_key', 'CELERY_DEFAULT_ROUTING_KEY'],
      ['task_default_delivery_mode', 'CELERY_DEFAULT_DELIVERY_MODE', 2],
      ['task_default_queue_type', 'CELERY_DEFAULT_QUEUE_TYPE', 'classic'],
      ['task_create_missing_queue_type', 'CELERY_CREATE_MISSING_QUEUE_TYPE', 'classic'],
      ['task_create_missing_queue_exchange_type', 'CELERY_CREATE_MISSING_QUEUE_EXCHANGE_TYPE'],
      ['worker_detect_quorum_queues', 'CELERYD_DETECT_QUORUM_QUEUES', true],
      ['broker_native_delayed_delivery_queue_type', 'BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE', 'quorum'],
      ['result_exchange', 'CELERY_RESULT_EXCHANGE', 'celeryresults'],
      ['result_exchange_type', 'CELERY_RESULT_EXCHANGE_TYPE', 'direct'],
      ['result_persistent', 'CELERY_RESULT_PERSISTENT'],
    ],
  },
  {
    here: 'a failed task has ended and its message is deleted; retry with autoretryFor, or throw a Reject with requeue: true',
    settings: [['task_acks_on_failure_or_timeout', 'CELERY_ACKS_ON_FAILURE_OR_TIMEOUT', true]],
  },
  {
    here: 'a task whose worker is lost runs again where acksLate is true; set acksLate: false on tasks that must not',
    same: [true],
    settings: [['task_reject_on_worker_lost', 'CELERY_REJECT_ON_WORKER_LOST']],
  },
  {
    here: 'an eager result is returned by the call and not stored; World of celeriac/testing stores results in tests',
    settings: [['task_store_eager_result', 'CELERY_STORE_EAGER_RESULT', false]],
  },
  {
    here: 'an error always has the stack of the place where it was thrown; leave it out',
    same: [true],
    settings: [['task_remote_tracebacks', 'CELERY_REMOTE_TRACEBACKS', false]],
  },
  {
    here: 'error links of a chord run once, with its body; give linkError to members that need one of their own',
    settings: [['task_allow_error_cb_on_chord_header', 'CELERY_ALLOW_ERROR_CB_ON_CHORD_HEADER', false]],
  },
  {
    here: 'it is what app.conf notes about the names that it was given; leave it out',
    settings: [['deprecated_settings', null]],
  },
];
