/** What a sample says about all mutants of its folder. */

export interface Score {
  readonly killed: number;
  readonly tried: number;
  readonly share: number;
  /** Wilson's interval at 95 %: right for small samples and near 100 %, where the usual one is not. */
  readonly low: number;
  readonly high: number;
}

// The normal distribution's two-sided quantile of 95 %.
const Z = 1.959_963_985;

export function scoreOf(killed: number, tried: number): Score {
  if (tried === 0) return { killed, tried, share: NaN, low: 0, high: 1 };
  const share = killed / tried;
  const middle = share + Z ** 2 / (2 * tried);
  const width = Z * Math.sqrt((share * (1 - share)) / tried + Z ** 2 / (4 * tried ** 2));
  const scale = 1 + Z ** 2 / tried;
  return {
    killed,
    tried,
    share,
    low: Math.max(0, (middle - width) / scale),
    high: Math.min(1, (middle + width) / scale),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function scoreText({ killed, tried, share, low, high }: Score): string {
  if (tried === 0) return 'none tried';
  return `${killed} of ${tried} killed: ${percent(share)} (95 %: ${percent(low)} to ${percent(high)})`;
}
