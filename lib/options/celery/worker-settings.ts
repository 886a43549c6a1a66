/** Celery's settings of workers, the beat, events, remote control and security: what processes of one's own need. */
import type { SettingGroup } from './setting.ts';

const LAMBDA_SCALES =
  'Lambda starts as many workers as there are messages; limit the tasks at once with queues: { mail: { concurrency } }';
const NO_POOL =
  'a worker is a Lambda function without a pool of processes; set its size with TaskService queues: { mail: { memoryMiB, timeout } }';
const NO_DAEMON = 'nothing runs as a daemon; TaskService deploys functions';

export const WORKER_SETTINGS: readonly SettingGroup[] = [
  {
    here: LAMBDA_SCALES,
    settings: [
      ['worker_concurrency', 'CELERYD_CONCURRENCY'],
      ['worker_autoscaler', 'CELERYD_AUTOSCALER', 'celery.worker.autoscale:Autoscaler'],
    ],
  },
  {
    here: 'nothing is fetched ahead; how many messages a worker takes at once is set with queues: { mail: { batchSize } }',
    settings: [
      ['worker_prefetch_multiplier', 'CELERYD_PREFETCH_MULTIPLIER', 4],
      ['worker_enable_prefetch_count_reduction', 'CELERYD_ENABLE_PREFETCH_COUNT_REDUCTION', true],
      ['worker_disable_prefetch', 'CELERYD_DISABLE_PREFETCH', false],
    ],
  },
  {
    here: 'a task with an ETA waits in SQS or DynamoDB and takes no room in a worker; leave it out',
    settings: [['worker_eta_task_limit', 'CELERYD_ETA_TASK_LIMIT']],
  },
  {
    here: NO_POOL,
    settings: [
      ['worker_pool', 'CELERYD_POOL', 'prefork'],
      ['worker_pool_putlocks', 'CELERYD_POOL_PUTLOCKS', true],
      ['worker_pool_restarts', 'CELERYD_POOL_RESTARTS', false],
      ['worker_proc_alive_timeout', 'CELERYD_PROC_ALIVE_TIMEOUT', 4],
      ['worker_max_memory_per_child', 'CELERYD_MAX_MEMORY_PER_CHILD'],
      ['worker_max_tasks_per_child', 'CELERYD_MAX_TASKS_PER_CHILD'],
      ['worker_agent', 'CELERYD_AGENT'],
      ['worker_consumer', 'CELERYD_CONSUMER', 'celery.worker.consumer:Consumer'],
      ['worker_timer', 'CELERYD_TIMER'],
      ['worker_timer_precision', 'CELERYD_TIMER_PRECISION', 1],
    ],
  },
  {
    here: 'workers are not shut down; Lambda ends an invocation at its timeout, and a task before it with timeLimit',
    settings: [
      ['worker_soft_shutdown_timeout', 'CELERYD_SOFT_SHUTDOWN_TIMEOUT', 0],
      ['worker_enable_soft_shutdown_on_idle', 'CELERYD_ENABLE_SOFT_SHUTDOWN_ON_IDLE', false],
      [
        'worker_cancel_long_running_tasks_on_connection_loss',
        'CELERYD_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS',
        false,
      ],
    ],
  },
  {
    here: 'a lost worker is told by its invocation having passed its deadline; how often its task runs again is maxDeliveries',
    settings: [['worker_lost_wait', 'CELERYD_WORKER_LOST_WAIT', 10]],
  },
  {
    here: 'no worker has a queue of its own; send to a declared queue with applyAsync(args, { queue })',
    settings: [['worker_direct', 'CELERY_WORKER_DIRECT', false]],
  },
  {
    here: 'a task that has finished never runs again; leave it out',
    same: [true],
    settings: [['worker_deduplicate_successful_tasks', 'CELERYD_DEDUPLICATE_SUCCESSFUL_TASKS', false]],
  },
  {
    here: 'workers take no remote commands; revoke a task with result.revoke()',
    same: [false],
    settings: [
      ['worker_enable_remote_control', 'CELERY_ENABLE_REMOTE_CONTROL', true],
      ['control_queue_ttl', 'CONTROL_QUEUE_TTL', 300],
      ['control_queue_expires', 'CONTROL_QUEUE_EXPIRES', 10],
      ['control_queue_exclusive', 'CONTROL_QUEUE_EXCLUSIVE', false],
      ['control_queue_durable', 'CONTROL_QUEUE_DURABLE', false],
      ['control_exchange', 'CONTROL_EXCHANGE', 'celery'],
    ],
  },
  {
    here: 'revoked tasks are kept in the results table; leave it out',
    settings: [['worker_state_db', 'CELERYD_STATE_DB']],
  },
  {
    here: "workers write JSON lines to Lambda's log; pass another logger to the app as logger",
    settings: [
      ['worker_hijack_root_logger', 'CELERYD_HIJACK_ROOT_LOGGER', true],
      ['worker_log_color', 'CELERYD_LOG_COLOR'],
      ['worker_log_format', 'CELERYD_LOG_FORMAT', '[%(asctime)s: %(levelname)s/%(processName)s] %(message)s'],
      [
        'worker_task_log_format',
        'CELERYD_TASK_LOG_FORMAT',
        '[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s',
      ],
      ['worker_redirect_stdouts', 'CELERY_REDIRECT_STDOUTS', true],
      ['worker_redirect_stdouts_level', 'CELERY_REDIRECT_STDOUTS_LEVEL', 'WARNING'],
    ],
  },
  {
    here: 'no events go through the broker; read a task from its result, with trackStarted from its start on',
    settings: [
      ['worker_send_task_events', 'CELERY_SEND_EVENTS', false],
      ['task_send_sent_event', 'CELERY_SEND_TASK_SENT_EVENT', false],
      ['event_queue_expires', 'CELERY_EVENT_QUEUE_EXPIRES', 60],
      ['event_queue_ttl', 'CELERY_EVENT_QUEUE_TTL', 5],
      ['event_queue_prefix', 'CELERY_EVENT_QUEUE_PREFIX', 'celeryev'],
      ['event_queue_exclusive', 'CELERY_EVENT_QUEUE_EXCLUSIVE', false],
      ['event_queue_durable', 'CELERY_EVENT_QUEUE_DURABLE', false],
      ['event_exchange', 'CELERY_EVENT_EXCHANGE', 'celeryev'],
    ],
  },
  {
    here: 'schedule entries are declared with app.beat({ name: { task, schedule } })',
    settings: [['beat_schedule', 'CELERYBEAT_SCHEDULE', {}]],
  },
  {
    here: 'no beat process runs; EventBridge and the sweeper fire what app.beat() declares and app.schedules stores',
    settings: [
      ['beat_scheduler', 'CELERYBEAT_SCHEDULER', 'celery.beat:PersistentScheduler'],
      ['beat_schedule_filename', 'CELERYBEAT_SCHEDULE_FILENAME', 'celerybeat-schedule'],
      ['beat_max_loop_interval', 'CELERYBEAT_MAX_LOOP_INTERVAL', 0],
      ['beat_sync_every', 'CELERYBEAT_SYNC_EVERY', 0],
    ],
  },
  {
    here: 'it belongs to the entries of app.beat(), as startingDeadline',
    settings: [['beat_cron_starting_deadline', 'CELERYBEAT_CRON_STARTING_DEADLINE']],
  },
  {
    here: 'messages are not signed; who may send is told by IAM, with service.grantEnqueue(fn)',
    settings: [
      ['security_certificate', 'CELERY_SECURITY_CERTIFICATE'],
      ['security_cert_store', 'CELERY_SECURITY_CERT_STORE'],
      ['security_key', 'CELERY_SECURITY_KEY'],
      ['security_key_password', 'CELERY_SECURITY_KEY_PASSWORD'],
      ['security_digest', 'CELERY_SECURITY_DIGEST', 'sha256'],
    ],
  },
  {
    here: NO_DAEMON,
    // Documented, and read from the command line's own options: not in the table of Celery's defaults.
    settings: ['worker', 'beat', 'events'].flatMap((process) =>
      ['executable', 'gid', 'logfile', 'pidfile', 'uid', 'umask'].map((what) => [`${process}_${what}`, null] as const),
    ),
  },
];
