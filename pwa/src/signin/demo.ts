/** A demo's people share one password, which `mos up` prints too. No other installation has it. */
export const DEMO_PASSWORD = 'frukost klockan 8';
