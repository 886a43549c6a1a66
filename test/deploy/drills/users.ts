/** Who may look at the drills: the secret of their monitor has the hashes. */
export interface DrillUser {
  readonly role: 'operator' | 'viewer';
  readonly password: string;
  readonly hash: string;
}

export const USERS = {
  ada: {
    role: 'operator',
    password: 'correct horse',
    hash: 'scrypt:32768:8:1:sOEuC72yohspUHrslZ2NXQ:2NDjD5B4mmAgc7JzbSo-m7kJzN5f3M-UrGUG0_cQB68',
  },
  eve: {
    role: 'viewer',
    password: 'battery staple',
    hash: 'scrypt:32768:8:1:p_F15SjJcR35NIYBNmwcPA:VyOY6WNNcmLWCzCV3Bf8PKAtwS2EmAyI-Hqc6Klknrs',
  },
} as const satisfies Readonly<Record<string, DrillUser>>;
