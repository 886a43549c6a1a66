/**
 * Every limit in one place, each with its source. Checks and messages read these constants, so a
 * message can never name another number than the check uses.
 */

/** SQS SendMessage: longest `DelaySeconds`. Source: SQS API reference, SendMessage. */
export const SQS_MAX_DELAY_SECONDS = 900;
/** SQS: body and attributes of one message, and the sum of one batch. Source: SQS quotas (since 2025-08). */
export const SQS_MAX_MESSAGE_BYTES = 1_048_576;
/** SQS SendMessageBatch: entries per call. Source: SQS API reference. */
export const SQS_MAX_BATCH_ENTRIES = 10;
/** SQS: longest visibility timeout, 12 hours. Source: SQS API reference, ChangeMessageVisibility. */
export const SQS_MAX_VISIBILITY_SECONDS = 43_200;
/** SQS: largest `maxReceiveCount` of a redrive policy. Source: SQS API reference, SetQueueAttributes. */
export const SQS_MAX_RECEIVE_COUNT = 1000;
/** SQS: queues that a `RedriveAllowPolicy` by queue may name. Source: SQS API reference, SetQueueAttributes. */
export const SQS_MAX_REDRIVE_SOURCES = 10;
/** SQS: shortest and longest message retention. Source: SQS API reference, SetQueueAttributes. */
export const SQS_MIN_RETENTION_SECONDS = 60;
export const SQS_MAX_RETENTION_SECONDS = 1_209_600;
/** How long a queue keeps its messages unless it is told otherwise: SQS's own default, 4 days. */
export const DEFAULT_RETENTION_SECONDS = 345_600;
/** SQS: longest queue name, `.fifo` included. Source: SQS quotas. */
export const SQS_MAX_QUEUE_NAME_CHARACTERS = 80;
/** SQS: longest MessageGroupId. Source: SQS API reference, SendMessage. */
export const SQS_MAX_GROUP_ID_CHARACTERS = 128;
/** SQS: longest MessageDeduplicationId. Source: SQS API reference, SendMessage. */
export const SQS_MAX_DEDUPLICATION_ID_CHARACTERS = 128;
/** SQS: attributes of one message. Source: SQS developer guide, message metadata. */
export const SQS_MAX_ATTRIBUTES = 10;
/** SQS: longest name of a message attribute. Source: SQS developer guide, message metadata. */
export const SQS_MAX_ATTRIBUTE_NAME_CHARACTERS = 256;
/** Lambda: longest function timeout. Source: Lambda quotas. */
export const LAMBDA_MAX_TIMEOUT_SECONDS = 900;
/** Lambda: smallest and largest memory. Source: Lambda quotas. */
export const LAMBDA_MIN_MEMORY_MIB = 128;
export const LAMBDA_MAX_MEMORY_MIB = 10_240;
/** Lambda: smallest and largest `/tmp`. Source: Lambda quotas. */
export const LAMBDA_MIN_EPHEMERAL_STORAGE_MIB = 512;
export const LAMBDA_MAX_EPHEMERAL_STORAGE_MIB = 10_240;
/** Lambda: layers of a function. Source: Lambda quotas. */
export const LAMBDA_MAX_LAYERS = 5;
/** Lambda: security groups of a function. Source: Lambda API reference, VpcConfig. */
export const LAMBDA_MAX_SECURITY_GROUPS = 5;
/** Lambda: all environment variables of a function together. Source: Lambda quotas. */
export const LAMBDA_MAX_ENVIRONMENT_BYTES = 4096;
/** Lambda event source mapping for SQS: `ScalingConfig.MaximumConcurrency`. Source: Lambda API reference. */
export const ESM_MIN_CONCURRENCY = 2;
export const ESM_MAX_CONCURRENCY = 1000;
/** Lambda event source mapping for SQS: invocations at once where no maximum is set. Source: Lambda developer guide, scaling of SQS event sources. */
export const ESM_MAX_INVOCATIONS = 1250;
/** Lambda event source mapping for SQS: batch size without a batching window, and with one. */
export const ESM_MAX_BATCH_SIZE = 10;
export const ESM_MAX_BATCH_SIZE_WITH_WINDOW = 10_000;
/** Tasks of one batch at once, unless the app or its queue says otherwise, and the most that may be said. */
export const DEFAULT_BATCH_CONCURRENCY = 10;
export const MAX_BATCH_CONCURRENCY = 10_000;
/** Priorities are 0, the most urgent, to 9. Source: kombu, virtual/base.py (`max_priority`), transport/redis.py (0 first). */
export const MAX_PRIORITY = 9;
/** Lambda event source mapping: longest batching window. Source: Lambda API reference. */
export const ESM_MAX_WINDOW_SECONDS = 300;
/** DynamoDB: largest item, attribute names included. Source: DynamoDB quotas. */
export const DYNAMODB_MAX_ITEM_BYTES = 409_600;
/** DynamoDB: longest partition key and sort key, UTF-8 bytes. Source: DynamoDB quotas. */
export const DYNAMODB_MAX_PARTITION_KEY_BYTES = 2048;
export const DYNAMODB_MAX_SORT_KEY_BYTES = 1024;
/** DynamoDB BatchWriteItem: puts and deletes per call. Source: DynamoDB API reference. */
export const DYNAMODB_MAX_BATCH_WRITES = 25;
/** DynamoDB BatchGetItem: keys per call. Source: DynamoDB API reference. */
export const DYNAMODB_MAX_BATCH_GETS = 100;
/** DynamoDB BatchExecuteStatement: statements per call. Source: DynamoDB API reference. */
export const DYNAMODB_MAX_BATCH_STATEMENTS = 25;

/** CloudWatch: metrics of one alarm on a math expression. Source: CloudWatch user guide, service quotas. */
export const CLOUDWATCH_MAX_ALARM_METRICS = 10;

/** SSM Parameter Store: longest value of a standard parameter, which is free. Source: Systems Manager User Guide, parameter tiers. */
export const SSM_STANDARD_MAX_BYTES = 4096;
/** SSM Parameter Store: longest value of an advanced parameter, for $0.05 a month. Source: Systems Manager User Guide, parameter tiers. */
export const SSM_ADVANCED_MAX_BYTES = 8192;
/** SSM Parameter Store: longest name, with the ARN before it (1,011), less what an ARN takes. Source: PutParameter. */
export const SSM_MAX_NAME_CHARACTERS = 900;
/** SSM Parameter Store: levels of a name. Source: PutParameter. */
export const SSM_MAX_NAME_LEVELS = 15;

/** EventBridge: longest `InputTemplate`. Source: EventBridge API reference, InputTransformer. */
export const EVENTBRIDGE_MAX_TEMPLATE_CHARACTERS = 8192;
/** EventBridge takes 300 rules on a bus in most Regions (100 in some; EventBridge quotas): some are left to the sweeper and to neighbours. */
export const DEFAULT_BEAT_RULES = 290;
/** CloudFormation takes templates of 1 MB. Characters of input templates, with what each rule adds, that surely fit. */
export const BEAT_RULES_MAX_CHARACTERS = 800_000;
export const BEAT_RULE_OVERHEAD_CHARACTERS = 1500;
/** EventBridge: `MaximumEventAgeInSeconds` of a target. Source: EventBridge API reference, RetryPolicy. */
export const EVENTBRIDGE_MIN_EVENT_AGE_SECONDS = 60;
export const EVENTBRIDGE_MAX_EVENT_AGE_SECONDS = 86_400;

/** Of a compressed body: eight times what SQS takes uncompressed. */
export const MAX_DECOMPRESSED_BYTES = 8_388_608;
/** Containers nested deeper than this are refused before parsing: a parser stack is not a limit to find by crashing. */
export const MAX_JSON_DEPTH = 64;
/**
 * Values (arrays, objects and what they hold) in one message: as many as the smallest ones that an uncompressed message of
 * SQS's size has room for. Compressed, eleven kilobytes unpack to millions, and each takes up to 200 bytes of memory.
 */
export const MAX_JSON_VALUES = 400_000;
/** Of a body or result of an app with `largePayloads`, as JSON: half of a function's default memory goes for its text, its bytes and its values. */
export const MAX_PAYLOAD_BYTES = 33_554_432;
/** Values in such a body. */
export const MAX_PAYLOAD_JSON_VALUES = 2_000_000;
/** `largePayloads.compressAboveBytes`: what is smaller costs more time than it saves. */
export const DEFAULT_COMPRESS_ABOVE_BYTES = 32_768;
/** `largePayloads.storeAboveBytes`: SQS bills each 64 KiB of a message as one request. */
export const DEFAULT_STORE_ABOVE_BYTES = 65_536;
/** More, and a message would fit no timer, and four texts of a record no item of 400 KB. */
export const MAX_STORE_ABOVE_BYTES = 90_000;
/**
 * How long a stored payload is kept after it is due at the latest: 14 days in its queue, 14 in the dead-letter queue, each of which is
 * SQS's longest retention, and two for what S3 deletes when it comes to it.
 */
export const PAYLOAD_RESERVE_SECONDS = 2_592_000;
/** `largePayloads.keep`: the reserve, and as long before a message is due. */
export const DEFAULT_PAYLOAD_KEEP_SECONDS = 5_184_000;
/** A payload that was stored for the attempt before is stored again when it is older: its time begins anew. */
export const PAYLOAD_FRESH_SECONDS = 86_400;
/** Messages that unpack to more than this are worked on one at a time: ten of a batch would fill a worker of 512 MiB. */
export const LARGE_UNPACKED_BYTES = 262_144;
/** Longest integer, in digits: Python reads no longer one (`sys.int_info.default_max_str_digits`). */
export const MAX_INTEGER_DIGITS = 4300;
/** Celery's saferepr limit for `argsrepr` and `kwargsrepr` (celery/utils/saferepr.py). */
export const MAX_REPR_CHARACTERS = 1024;
/** Stored tracebacks are cut here: an item under 1 KB costs one write unit, and the end of a stack says little. */
export const MAX_TRACEBACK_CHARACTERS = 4096;
/** An error's name and message as they are stored: six bytes a character at most, they fit an item of 400 KB several times. */
export const MAX_ERROR_NAME_CHARACTERS = 255;
export const MAX_ERROR_MESSAGE_CHARACTERS = 8192;
/** What our own errors carry beside their message: an item of 400 KB holds it whatever its characters are. */
export const MAX_ERROR_FIELDS_CHARACTERS = 65_536;
/** An error in a log line, or in an attribute of a dead letter (bodies and attributes share 1 MiB). */
export const MAX_ERROR_LINE_CHARACTERS = 1024;
/** Messages sent in reaction to one root (retries, deferrals, chain steps). A loop ends here instead of in the bill. */
export const MAX_HOPS = 10_000;
/** Longest task id: it is a part of DynamoDB keys and of SQS deduplication ids (128 characters). */
export const MAX_TASK_ID_CHARACTERS = 128;
/** Longest task name: names appear in keys, attributes and log lines. */
export const MAX_TASK_NAME_CHARACTERS = 255;

/** Longest text that is only shown or passed on: `argsrepr`, `kwargsrepr`, `shadow`, `origin`, `reply_to`. */
export const MAX_SHOWN_CHARACTERS = 2048;
/** Error texts quote no more of what they refuse: it may be long, and may be secret. */
export const MAX_QUOTED_CHARACTERS = 100;
/** Keys of timers and ticks begin with the time in thirteen digits: 2286-11-20T17:46:39.999Z, in milliseconds. */
export const LATEST_DUE_MS = 9_999_999_999_999;
/** Largest `retries`: a number that is counted up for ever must stay one that JSON and DynamoDB hold exactly. */
export const MAX_RETRIES = 1_000_000_000;
/** Members of one group or chord: their ids alone are some 10 MB, which a worker that gathers their results holds. */
export const MAX_GROUP_MEMBERS = 250_000;

/** Longest queue name in a signature. What is declared is shorter still: SQS takes 80 characters. */
export const MAX_QUEUE_NAME_CHARACTERS = 255;

/** Celery: `max_retries` and `default_retry_delay` (celery/app/task.py). */
export const DEFAULT_MAX_RETRIES = 3;
export const DEFAULT_RETRY_DELAY_SECONDS = 180;
/** Celery: `retry_backoff_max` (celery/app/autoretry.py). */
export const DEFAULT_RETRY_BACKOFF_MAX_SECONDS = 600;
/** Deliveries of one attempt that may end without a word before the attempt counts as poison. */
export const DEFAULT_MAX_DELIVERIES = 5;
/** Celery's `result_expires`: one day. */
export const DEFAULT_RESULT_EXPIRES_SECONDS = 86_400;
/**
 * Records are kept for three hours at least, however short `resultExpires`: without its record a message that comes again
 * runs again. One whose worker died comes after its visibility timeout (15.5 minutes at most); one that waits, for a limit
 * of its task, looks every `RATE_LOOK_SECONDS` or `HIDDEN_LOOK_SECONDS` whether its attempt has ended.
 */
export const MIN_RECORD_SECONDS = 10_800;
/**
 * Those of FIFO queues for longer: a second message stands in its group behind whatever the group has, until SQS deletes it.
 * What is sent later than that is sent again within the time of any record.
 */
export const MIN_FIFO_RECORD_SECONDS: number = DEFAULT_RETENTION_SECONDS + MIN_RECORD_SECONDS;
/** A revoke must outlive the message it stops, wherever its ETA lies: 400 days. */
export const REVOKED_RETENTION_SECONDS = 34_560_000;
/**
 * A message whose handling failed for a passing reason comes back after this long, twice as long each time, up to the
 * longest: 50 receives, after which its queue gives it up, then take about four hours of an outage.
 */
export const FAILED_DELIVERY_FIRST_SECONDS = 10;
export const FAILED_DELIVERY_LONGEST_SECONDS = 300;
/** Receives after which a message is given up whose handling is refused for good: rights that a deployment has just granted take a minute. */
export const REFUSED_RECEIVES = 5;
/** A timer that its queue refuses for good is given up this long after it was due: a deployment may be under way. */
export const REFUSED_TIMER_SECONDS = 900;
/** A public call gives up without a success for this long: an API handler answers its own caller within 29 s, and most want to within a few. */
export const DEFAULT_CALL_TIMEOUT_SECONDS = 3;
/** Receives from the lost queue after which a message leaves it, whether its state could be written or not: some 25 minutes. */
export const LOST_QUEUE_RECEIVES = 10;
/** Characters of a namespace of CloudWatch's metrics [PutMetricData]. */
export const MAX_METRIC_NAMESPACE_CHARACTERS = 255;
/** A batch waits this long at most until its spans are exported: a collector answers within milliseconds, or is away. */
export const TELEMETRY_FLUSH_SECONDS = 2;
/** What is left of an invocation's time behind that: its answer must be out before Lambda's deadline. */
export const TELEMETRY_FLUSH_MARGIN_SECONDS = 0.5;
/** Clocks of two machines may differ by this much; leases end this much after the invocation's deadline. */
export const CLOCK_SKEW_SECONDS = 2;
/** Time kept free before Lambda's deadline for commits, settling and the response. */
export const DEADLINE_MARGIN_SECONDS = 2;
/**
 * A run looks this often whether it was revoked with `terminate`, after this long for the first time: half a read unit each
 * time, and none for what is shorter.
 */
export const TERMINATION_LOOK_SECONDS = 5;
/** So long after its signal has aborted a revoked run is left alone: time to put things in order. */
export const TERMINATION_GRACE_SECONDS = 5;
/** How far ahead a sweep looks. Two periods of the one-minute rule, so that one missed run makes nothing late. */
export const SWEEP_HORIZON_SECONDS = 120;
/**
 * The same for ticks that cannot be taken back, since whoever runs them reads no revoke: one period and what a sweep may
 * come late, so that an edit is felt soon.
 */
export const SWEEP_IRREVOCABLE_HORIZON_SECONDS = 75;
/** Ticks of one schedule entry in one sweep; the next goes on. Only catching up gets here: a horizon has 120 seconds. */
export const MAX_TICKS_PER_SWEEP = 1000;
/** Schedule entries in one answer of `list`: each may have some hundred KB. */
export const MAX_LISTED_SCHEDULES = 10_000;
/** Longest name of a schedule entry (django-celery-beat's). */
export const MAX_ENTRY_NAME_CHARACTERS = 200;
/** Longest description of a schedule entry. */
export const MAX_DESCRIPTION_CHARACTERS = 2000;
/** Members of a group in one set: a set of 64 numbers and its keys stay far below one write unit's 1,024 bytes. */
export const GROUP_PART_MEMBERS = 64;
/** Messages of a large group that are prepared and sent at a time: memory stays bounded whatever its size. */
export const CANVAS_WINDOW_MESSAGES = 500;
/** And so many bytes of them: each member of a group may carry a body of 300 KB. */
export const CANVAS_WINDOW_BYTES = 8_388_608;
/** Children that a task's result names: an item that grew with them would cost a write unit for every sixteen. */
export const MAX_RECORDED_CHILDREN = 64;
/** Counts outlive the results of their members by this much: a member may be due long after the first has ended. */
export const GROUP_RETENTION_SECONDS = 2_592_000;
/** Celery stores a group in one item of 400 KB; a member's id takes some 52 bytes of it. */
export const CELERY_GROUP_MAX_MEMBERS = 7000;
/** After this long whatever a sender that died left of a large group is sent. */
export const GROUP_REPAIR_SECONDS = 900;
/** Partitions of the timer index; each takes about 1,000 writes a second. */
export const DEFAULT_TIMER_SHARDS = 8;
/** An unknown task is deferred this many times (5 s, 10 s, ... 640 s: about 21 minutes), the length of a slow rolling deploy. */
export const UNKNOWN_TASK_DEFERRALS = 8;
export const UNKNOWN_TASK_FIRST_DELAY_SECONDS = 5;
/** Outcomes that the stored EnqueueFailed of a task names; the document shall stay small. */
export const MAX_STORED_OUTCOMES = 100;
/** Of the path of a stored NotSerializable. */
export const MAX_STORED_PATH_CHARACTERS = 1024;
/** What the packed names of all tasks may take of the 4 KB that Lambda gives to variables: some 150 names. */
export const MAX_TASK_NAMES_BYTES = 1024;
/** Names that an error text lists. */
export const MAX_LISTED_NAMES = 20;
/** A task whose slot is so near starts: SQS delays by whole seconds. */
export const RATE_AHEAD_SECONDS = 1;
/** So much later than its slot a task still starts. */
export const DEFAULT_RATE_GRACE_SECONDS = 10;
export const MAX_RATE_GRACE_SECONDS = 3600;
/** Longest time from one start to the next, 30 days: longer ones are schedules. */
export const MAX_RATE_PERIOD_SECONDS = 2_592_000;
/** Starts of a rate limit that may come at once. */
export const MAX_RATE_BURST = 10_000;
/** What waits for its slot looks this often whether the limit was changed. */
export const RATE_LOOK_SECONDS = 3600;
/** Workers look this often whether a rate limit was changed at run time. */
export const RATE_CONTROL_SECONDS = 60;
/** A slot whose message waits in its queue (FIFO) must come so long before the message's retention ends. */
export const RATE_RETENTION_MARGIN_SECONDS = 3600;
/** Places in a line are kept by the store for so long after they have passed. */
export const RATE_RETENTION_SECONDS = 86_400;
/** Longest key of a lock, in characters: in UTF-8 at most 768 bytes of a sort key. */
export const MAX_LOCK_KEY_CHARACTERS = 256;
/** Longest note that a lock carries: with it the item stays below two write units. */
export const MAX_LOCK_INFO_CHARACTERS = 1024;
/** A lock that nobody renews lapses after this (ICEkit's lock of tasks): longer than Lambda runs. */
export const DEFAULT_LOCK_SECONDS = 7200;
/** The same where it is renewed while its work runs: how long it outlives a worker that dies. */
export const DEFAULT_RENEWED_LOCK_SECONDS = 60;
/** Shorter, and a renewal or two clocks could not keep up with it. */
export const MIN_LOCK_SECONDS = 3;
export const MAX_LOCK_SECONDS = 2_592_000;
/** Longest wait for a lock, as long as Lambda runs: who waits is paid for. */
export const MAX_LOCK_WAIT_SECONDS = 900;
/** Pauses between two tries for a lock: the first at most, and all others. */
export const LOCK_FIRST_PAUSE_MS = 50;
export const LOCK_LONGEST_PAUSE_MS = 1000;
/** The owner is told so much before its lock lapses, to stop in time. */
export const LOCK_WARNING_MS = 1000;
/** Locks in one answer of `list`. */
export const MAX_LISTED_LOCKS = 10_000;
/**
 * A lock's item stays this long after it lapsed, since its tokens go on from there. Without it they begin at the clock, which is beyond
 * every token of it: one item takes no more than one write in a millisecond.
 */
export const LOCK_RETENTION_SECONDS = 2_592_000;
/** Longest key of a limit, in characters; longer than the second one it is stored as its hash. */
export const MAX_FLOW_KEY_CHARACTERS = 256;
export const MAX_PLAIN_FLOW_KEY_CHARACTERS = 128;
/** Shortest and longest time of `unique`, `throttle` and `debounce`: SQS delays by whole seconds, and 400 days is as far as a revoke reaches. */
export const MIN_MARK_SECONDS = 1;
export const MAX_MARK_SECONDS = 34_560_000;
/** A unique task whose end nobody has told stands in the way of the next for so long. */
export const DEFAULT_UNIQUE_TTL_SECONDS = 86_400;
/** Marks of keys are deleted so long after they have ended: the clocks of two senders differ, and DynamoDB deletes late. */
export const MARK_RETENTION_SECONDS = 86_400;
/** A message that waits for the last call is stored in one item of 400 KB, beside its keys and numbers. */
export const MAX_DEBOUNCED_BYTES = 380_000;
/** A debounced message is never sooner forgotten than its queue would forget it. */
export const DEBOUNCE_RETENTION_SECONDS = 2_592_000;
/** A token of a debounced task that is so much late is sent once more: its queue may have been purged. */
export const DEBOUNCE_TOKEN_LATE_SECONDS = 60;
/** Rounds against other callers of one key, each of which somebody else has won. */
export const MARK_ROUNDS = 12;
/** Runs of a key at the same time. Every start and end writes the whole list: 14 are a kilobyte, 100 are seven. */
export const MAX_CONCURRENCY = 100;
/** A slot that was given to a waiting task is kept for it so long; four times as long each time that it came too late. */
export const SLOT_GRANT_SECONDS = 120;
export const SLOT_GRANT_LONGEST_SECONDS = 3600;
/** A look at a key's holders comes so much later than what it looks for: SQS delays by whole seconds, and clocks differ. */
export const SLOT_CHECK_MARGIN_MS = 1000;
/** Others changed the same holders in between: so often it is tried again, then the message comes back. */
export const SLOT_ROUNDS = 12;
/** Holders of a key that nobody uses are kept for so long. */
export const SLOT_RETENTION_SECONDS = 2_592_000;
/** Largest message that is stored while it waits; DynamoDB takes items of 400 KB. A larger one waits in its queue. */
export const MAX_PARKED_BYTES = 380_000;
/** A message that waits where it is, is looked at after so long, and then ever more rarely: each look is a receive. */
export const SLOT_LOOK_SECONDS = 300;
export const SLOT_LOOK_LONGEST_SECONDS = 21_600;
/**
 * What waits in a standard queue looks so often at least: another message of its attempt may run meanwhile, whose record
 * is kept for `MIN_RECORD_SECONDS`. In a FIFO queue no other one overtakes it.
 */
export const HIDDEN_LOOK_SECONDS = 7200;
/** When an attempt first came to wait is known for longer than SQS keeps any message, 14 days. */
export const PLACE_RETENTION_SECONDS = 1_296_000;
/** Waiting tasks that `app.control.slots()` lists at once. */
export const MAX_SLOTS_LISTED = 1000;
/** Waiting tasks that are counted to tell somebody's place in a line: 1 KB each is a quarter of a read unit. */
export const MAX_PARKED_COUNTED = 10_000;
/** Timers of a part that are looked through for one task, those that are due first. */
export const MAX_TIMERS_SEARCHED = 1000;
/** Parts of an hour's history; each takes about 1,000 writes a second, of ten tasks each. */
export const HISTORY_SHARDS = 4;
/** The history of a task is kept for so long after its end. */
export const HISTORY_RETENTION_SECONDS = 604_800;
/** Statistics: minutes as long as what they are made of, hours 35 days, days 400 days. */
export const STATS_RETENTION_SECONDS = { minute: 604_800, hour: 3_024_000, day: 34_560_000 } as const;
/** Marks of deployments are kept for as long as an overview may look back, and longer: 90 days. */
export const DEPLOY_RETENTION_SECONDS = 7_776_000;
/** Ten a day for that time. */
export const MAX_DEPLOYS_READ = 900;
/** Of a version: 48 bits of its hash, told apart by eye. */
export const MAX_VERSION_CHARACTERS = 12;
/** A minute is rolled up when it has been over for so long. */
export const ROLL_UP_AFTER_SECONDS = 60;
/** What is written later than this after its minute is noted as late: clocks differ, and the sweeper must see what is not. */
export const HISTORY_PUNCTUAL_SECONDS = 40;
/** So long a sweep goes on with what an outage has left; the next one goes on. */
export const ROLL_UP_LONGEST_MS = 20_000;
/** The first roll-up of a service begins so far back. */
export const ROLL_UP_FIRST_SECONDS = 600;
/** Late minutes of one sweep. */
export const MAX_LATE_MINUTES = 50;
/** Of `argsrepr` and `kwargsrepr` together, and of an error, as the history keeps them: ten tasks stay below a kilobyte, packed. */
export const MAX_HISTORY_REPR_CHARACTERS = 80;
export const MAX_HISTORY_ERROR_CHARACTERS = 160;
/** Ends in one item, which has room for some thousands of common ones. */
export const MAX_HISTORY_ENTRIES = 500;
/** Packed ends or counts of one item; DynamoDB takes items of 400 KB, keys and the names of attributes among them. */
export const MAX_HISTORY_ITEM_BYTES = 380_000;
/** Ends in one answer of `app.history.list()`, and how many of them unless the call says otherwise. */
export const MAX_LISTED_HISTORY = 1000;
export const DEFAULT_LISTED_HISTORY = 50;
/** Queries of one call that reads the history; its answer says how far it has come. */
export const MAX_HISTORY_QUERIES = 800;
/** Attempts in one task's story, the newest. */
export const MAX_STORY_ATTEMPTS = 50;
/** Buckets in one answer of `app.stats()`: a day by the minute. */
export const MAX_STATS_BUCKETS = 1500;
/** Tasks that a bucket of statistics names, where they fit; a thousand take some tens of kilobytes. */
export const MAX_STATS_TASKS = 1000;

// ------------------------------------------------------------ notifications

/** Mails about failures: what comes again within so long is told in one, if nothing else was said. */
export const DEFAULT_NOTICE_WINDOW_SECONDS = 900;
/** The sweeper looks once a minute; a day is what people call old. */
export const MIN_NOTICE_WINDOW_SECONDS = 60;
export const MAX_NOTICE_WINDOW_SECONDS = 86_400;
/** Kinds of failures that are told at once in one window; all others wait for its digest. */
export const MAX_NOTICES_AT_ONCE = 10;
/** Kinds of failures that go on from window to window without being told at once again, the most frequent. */
export const MAX_KNOWN_FAILURES = 100;
/** Kinds of failures that one minute, and one digest, names. */
export const MAX_COUNTED_FAILURES = 200;
export const MAX_DIGEST_KINDS = 20;
/** So long after its mark a failure that is not told is the sweeper's to tell: its worker has died, or was refused. */
export const NOTICE_OVERDUE_SECONDS = 60;
/** A worker waits so long for a mail to be taken; the sweeper tries again. */
export const NOTICE_SEND_SECONDS = 5;
/** So long one sweeper has for a digest before another one may make it. */
export const NOTICE_DIGEST_SECONDS = 120;
/** What ended longer ago is told in no mail of its own: its message came again, or was rolled up after an outage. */
export const NOTICE_FRESH_SECONDS = 3600;
/** Marks and counts are kept for so long after their window. */
export const NOTICE_RETENTION_SECONDS = 604_800;
/** In a mail: of the arguments as the message shows them, of the error's text, of its stack. */
export const MAX_NOTICE_REPR_CHARACTERS = 400;
export const MAX_NOTICE_ERROR_CHARACTERS = 1000;
export const MAX_NOTICE_STACK_CHARACTERS = 4000;
/** Source: Amazon SNS, API reference, Publish: ASCII, no line breaks or control characters, less than 100 characters long. */
export const SNS_MAX_SUBJECT_CHARACTERS = 99;
/** Source: Amazon SNS, API reference, Publish: 262,144 bytes of UTF-8. */
export const SNS_MAX_MESSAGE_BYTES = 262_144;
/** Of a mail's text, which is far below what every service takes. */
export const MAX_MAIL_BYTES = 65_536;

// ------------------------------------------------------- worker processes

/** Tasks at once in a worker process, unless it is told. As many as a Lambda function's batch. */
export const DEFAULT_PROCESS_CONCURRENCY = 10;
/** Most tasks at once in a worker process: each holds a message, which is renewed by itself. */
export const MAX_PROCESS_CONCURRENCY = 1000;
/** What a worker process holds is another's this long after its last word. A third of it is the time between two renewals. */
export const DEFAULT_PROCESS_LEASE_SECONDS = 60;
/** A lease is renewed three times before it ends, each time over the network. */
export const MIN_PROCESS_LEASE_SECONDS = 3;
/** SQS: a message is hidden for 12 hours at most after it was received; a margin is left. */
export const MAX_PROCESS_LEASE_SECONDS = 3600;
/** How long a worker process lets its tasks go on after SIGTERM. ECS ends a container 30 seconds after it. */
export const DEFAULT_GRACE_SECONDS = 25;
/** SQS: longest wait of a receive. Source: SQS API reference, ReceiveMessage. */
export const SQS_MAX_WAIT_SECONDS = 20;
/** How long a worker process waits for messages in a receive: as long as an idle one takes to end. */
export const PROCESS_WAIT_SECONDS = 10;
/** How often a worker process looks which queues are paused: about 7 cents a month for each. */
export const PROCESS_PAUSE_LOOK_SECONDS = 5;
/** A message is visible again this much later than its claim is free, so that whoever gets it can take it. */
export const PROCESS_VISIBILITY_MARGIN_SECONDS = 5;
/** A letter that is looked at is hidden for so long: should whoever looks die, it comes back then. */
export const LETTER_HIDDEN_SECONDS = 900;
/** Letters that are kept hidden while others are looked for. SQS has 120,000 messages of a queue in flight at most, others' among them. */
export const MAX_HIDDEN_LETTERS = 100_000;
/** Letters that `app.deadLetters.list()` looks at unless it is told another number, and the most it may be told. */
export const DEFAULT_LETTERS_LISTED = 1000;
export const MAX_LETTERS_LISTED = 100_000;

// ------------------------------------------------------ tasks in parts

/** Parts of a task: ten days of Lambda's longest invocations. Numbers of attempts leave room for ten times as many. */
export const MAX_PARTS = 1000;
/** Parts of a task in a FIFO queue: its message stays where it is, and each part is a receive of its redrive policy's 50, losses beside them. */
export const MAX_FIFO_PARTS = 20;
/** A checkpoint stands in its task's item: each write of that costs a unit for each kilobyte. */
export const MAX_CHECKPOINT_BYTES = 32_768;
/** What a task holds stays its own for so long between two parts: its message may wait in a busy queue. */
export const PART_GAP_SECONDS = 900;
/** A part ends at a checkpoint when less is left than this, or than a tenth of it. */
export const PART_RESERVE_SECONDS = 5;
/** One that makes none is cut off so long before it would fail by its time limit: what is left is for writing that down. */
export const PART_CUT_SECONDS = 1;

// ---------------------------------------------------------------- monitor

/** Who changed what is kept for so long: a quarter, which audits ask for. */
export const AUDIT_RETENTION_SECONDS = 7_776_000;
/** Names and ids that one entry of the audit list holds, and the characters of each of its texts. */
export const MAX_AUDIT_NAMES = 20;
export const MAX_AUDIT_CHARACTERS = 300;

/** Of who changed a schedule entry: it stands in the entry, whose item is read at each sweep that it is due. */
export const MAX_CHANGED_BY_CHARACTERS = 300;
/** Bytes of a request of the monitor: as large as a task's arguments can be, and the page's fields around them. */
export const MAX_MONITOR_BODY_BYTES = 1_310_720;
/** An action on many things goes on for so long in one request; its answer says that there is more. A function URL waits 15 minutes, people do not. */
export const MONITOR_ACTION_MS = 20_000;
/** Tasks that one request of the monitor revokes. */
export const MAX_MONITOR_REVOKES = 200;
/** Relatives of a task that the monitor reads the state of: one request of DynamoDB. */
export const MAX_MONITOR_RELATIVES = 100;
/** Tries to log in that one address has at once, and how soon it gets another one. */
export const MONITOR_LOGINS_AT_ONCE = 5;
export const MONITOR_LOGIN_PACE_SECONDS = 30;

// ------------------------------------------------- HTTP tasks and webhooks

/** Longest URL: what proxies and load balancers take. Source: RFC 9110, 4.1 (8,000 octets recommended). */
export const MAX_URL_CHARACTERS = 8000;
/** How long a request may take from its first look-up to the last byte of its answer: Standard Webhooks recommend 15 to 30 s. */
export const DEFAULT_HTTP_TIMEOUT_SECONDS = 15;
/** With the time limit around it, and the margins, still below what Lambda runs. */
export const MAX_HTTP_TIMEOUT_SECONDS = 870;
/** Time that a request's task has beside it. */
export const HTTP_TASK_MARGIN_SECONDS = 5;
/** Bytes of an answer that are read: a result of more is not stored. */
export const MAX_HTTP_ANSWER_BYTES = 262_144;
/** Bytes that a request's own headers may take together. */
export const MAX_HTTP_HEADERS_BYTES = 8192;
/** Redirects that an HTTP task may be allowed to follow. */
export const MAX_HTTP_REDIRECTS = 5;
/** Longest wait that an answer's `Retry-After` brings. */
export const MAX_RETRY_AFTER_SECONDS = 86_400;
/** Characters of a reason that an answer gives. */
export const MAX_HTTP_REASON_CHARACTERS = 1024;
/**
 * Bytes of an outcome in a webhook; a result that makes it larger is left out. Its retries of hours are stored, in at most 400 KB, where text
 * of other alphabets takes five times as much. Standard Webhooks: below 20 KB is recommended.
 */
export const MAX_WEBHOOK_BYTES = 65_536;
/** Waits between the tries of a webhook. Source: Standard Webhooks, "Deliverability and reliability". */
export const WEBHOOK_RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;
/** How long a signed status address holds unless it says otherwise, and at most: it cannot be taken back. */
export const DEFAULT_STATUS_URL_SECONDS = 3600;
export const MAX_STATUS_URL_SECONDS = 604_800;
