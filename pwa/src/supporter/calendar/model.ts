/** What the server says of calendar feeds (docs/api.md). */

/** What an event is called: as it is planned, or nothing that tells what it is. */
export type Says = 'titles' | 'plain';

export interface Feed {
  readonly id: string;
  readonly says: Says;
  readonly medication: boolean;
  /** An account. */
  readonly created_by: string;
  readonly created_at: string;
  readonly last_read_at: string | null;
}

export interface FeedAdded {
  readonly feed: Feed;
  /** Shown this once. */
  readonly address: string;
}
