/** Settings that only older versions of Celery knew (2.2 to 5.0), by the name that they had last. */
import type { SettingGroup } from './setting.ts';

const retired = true;

export const RETIRED_SETTINGS: readonly SettingGroup[] = [
  {
    here: 'the stack says who is told of failures: service.notify({ emails }), or CELERIAC_SMTP_URL of a process; docs/notifications.md',
    retired,
    settings: [
      ['CELERY_SEND_TASK_ERROR_EMAILS', null, false],
      ['CELERY_TASK_ERROR_WHITELIST', null, []],
      ['ADMINS', null, []],
      ['SERVER_EMAIL', null, 'celery@localhost'],
      ['EMAIL_HOST', null, 'localhost'],
      ['EMAIL_HOST_USER', null],
      ['EMAIL_HOST_PASSWORD', null],
      ['EMAIL_PORT', null, 25],
      ['EMAIL_TIMEOUT', null, 2],
      ['EMAIL_USE_SSL', null, false],
      ['EMAIL_USE_TLS', null, false],
    ],
  },
  {
    here: "workers write JSON lines to Lambda's log; pass another logger to the app as logger",
    retired,
    settings: [
      ['CELERYD_LOG_FILE', null],
      ['CELERYD_LOG_LEVEL', null, 'WARN'],
      ['CELERYBEAT_LOG_FILE', null],
      ['CELERYBEAT_LOG_LEVEL', null, 'INFO'],
      ['CELERYMON_LOG_FILE', null],
      ['CELERYMON_LOG_FORMAT', null],
      ['CELERYMON_LOG_LEVEL', null, 'INFO'],
      ['CELERY_FORCE_BILLIARD_LOGGING', null, true],
    ],
  },
  {
    here: 'a worker is a Lambda function without processes of its own; a new version of the code is deployed',
    retired,
    settings: [
      ['CELERYD_AUTORELOADER', null],
      ['CELERYD_BOOT_STEPS', null, []],
      ['CELERYD_ETA_SCHEDULER', null],
      ['CELERYD_ETA_SCHEDULER_PRECISION', null],
      ['CELERYD_FORCE_EXECV', null, false],
      ['CELERYD_MEDIATOR', null],
    ],
  },
  {
    here: 'no events go through the broker; read a task from its result, with trackStarted from its start on',
    retired,
    settings: [['CELERYD_SEND_EVENTS', null, false]],
  },
  {
    here: 'a chord whose member fails has failed; give it policy: settled to run its body all the same',
    retired,
    settings: [['CELERY_CHORD_PROPAGATES', null, true]],
  },
  {
    here: 'SQS has neither broadcast nor mirrored queues; send a task to every queue that should have it',
    retired,
    settings: [
      ['CELERY_BROADCAST_EXCHANGE', null, 'celeryctl'],
      ['CELERY_BROADCAST_EXCHANGE_TYPE', null, 'fanout'],
      ['CELERY_BROADCAST_QUEUE', null, 'celeryctl'],
      ['task_queue_ha_policy', 'CELERY_QUEUE_HA_POLICY'],
    ],
  },
  {
    here: 'TaskService deploys the SQS queues, and service.grantEnqueue(fn) tells a function of them',
    retired,
    settings: [
      ['BROKER_BACKEND', null],
      ['BROKER_INSIST', null, false],
    ],
  },
  {
    here: 'results live in the DynamoDB table that TaskService makes; no other backend is used',
    retired,
    settings: [
      ['CELERY_AMQP_TASK_RESULT_CONNECTION_MAX', null, 1],
      ['CELERY_AMQP_TASK_RESULT_EXPIRES', null],
      ['CASSANDRA_COLUMN_FAMILY', null],
      ['CASSANDRA_DETAILED_MODE', null, false],
      ['TT_HOST', null],
      ['TT_PORT', null],
      ['riak_backend_settings', 'CELERY_RIAK_BACKEND_SETTINGS'],
    ],
  },
];
