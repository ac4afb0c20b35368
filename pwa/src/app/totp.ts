/** Codes from the phone, as the server tells of them. */

export interface TotpState {
  readonly on: boolean;
  readonly since: string | null;
  readonly codes_left: number;
  /** From when on the organisation asks for codes or a passkey; null: it does not. */
  readonly due: string | null;
}

/** What an app in the phone is given, this once. */
export interface TotpBegun {
  readonly key: string;
  readonly url: string;
  readonly qr: string;
}

/** So few codes on paper are time to make others. */
export const FEW_CODES = 3;
