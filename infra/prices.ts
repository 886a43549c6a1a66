/**
 * List prices of AWS in US dollars, by which synth says what a service costs. Free tiers are not taken off, and neither are taxes
 * and discounts. Sources: AWS's public price pages and price lists, as they were on the date below.
 */
export const PRICES_DATE = '2026-11-21';

export interface Prices {
  readonly region: string;
  /** SQS, a million requests of up to 64 KB. */
  readonly sqsMillion: number;
  readonly sqsFifoMillion: number;
  /** Lambda, a million requests. */
  readonly lambdaMillion: number;
  /** Lambda, a second of 1,024 MiB. */
  readonly lambdaArmGbSecond: number;
  readonly lambdaX86GbSecond: number;
  /** Lambda, a second of 1,024 MiB that is kept warm by provisioned concurrency. */
  readonly lambdaArmWarmGbSecond: number;
  readonly lambdaX86WarmGbSecond: number;
  /** DynamoDB on demand, a million units: writes of up to 1 KB, consistent reads of up to 4 KB. */
  readonly dynamodbWriteMillion: number;
  readonly dynamodbReadMillion: number;
  /** CloudWatch Logs, a GB of 1,024 MiB taken in. */
  readonly logsGb: number;
  /** CloudWatch, a metric of an alarm for a month. */
  readonly alarmMetricMonth: number;
  /** CloudWatch, a dashboard for a month. */
  readonly dashboardMonth: number;
}

/** CloudWatch: an account has three dashboards of so many metrics each for nothing. */
export const FREE_DASHBOARD_METRICS = 50;

const US_EAST_1: Prices = {
  region: 'us-east-1',
  sqsMillion: 0.4,
  sqsFifoMillion: 0.5,
  lambdaMillion: 0.2,
  lambdaArmGbSecond: 0.0000133334,
  lambdaX86GbSecond: 0.0000166667,
  lambdaArmWarmGbSecond: 0.0000033334,
  lambdaX86WarmGbSecond: 0.0000041667,
  dynamodbWriteMillion: 0.625,
  dynamodbReadMillion: 0.125,
  logsGb: 0.5,
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,
};

const BY_REGION: Readonly<Record<string, Prices>> = {
  'us-east-1': US_EAST_1,
  'eu-central-1': {
    ...US_EAST_1,
    region: 'eu-central-1',
    dynamodbWriteMillion: 0.7625,
    dynamodbReadMillion: 0.1525,
    logsGb: 0.63,
  },
};

/** Those of us-east-1 for a region that is not in the table, or not known: other regions are up to some 30% dearer. */
export function pricesOf(region: string): Prices {
  return (Object.hasOwn(BY_REGION, region) ? BY_REGION[region] : undefined) ?? US_EAST_1;
}
