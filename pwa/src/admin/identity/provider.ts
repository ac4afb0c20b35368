/** An organisation's identity provider as the API has it. */

export interface Provider {
  readonly state: 'off' | 'on' | 'broken';
  /** What the provider must be told. */
  readonly redirect_uri: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly has_secret: boolean;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly by_email: boolean;
  readonly strong_acr: readonly string[];
  readonly strong_amr: readonly string[];
  /** How many accounts it opens. */
  readonly linked: number;
}

export const OUTCOMES = [
  'ready',
  'blocked',
  'unreachable',
  'slow',
  'status',
  'not_json',
  'issuer',
  'incomplete',
] as const;

/** What the provider said of itself just now. */
export interface ProviderTried {
  readonly outcome: (typeof OUTCOMES)[number];
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
  readonly algorithms: readonly string[];
  readonly keys: number;
  readonly has_pkce: boolean;
}

/** What a form holds of it: lists as words with spaces between. */
export interface ProviderForm {
  issuer: string;
  client_id: string;
  secret: string;
  label: string;
  scopes: string;
  by_email: boolean;
  strong_acr: string;
  strong_amr: string;
}

export function formOf(provider: Provider): ProviderForm {
  return {
    issuer: provider.issuer,
    client_id: provider.client_id,
    secret: '',
    label: provider.label,
    scopes: provider.state === 'off' ? 'email' : provider.scopes.join(' '),
    by_email: provider.by_email,
    strong_acr: provider.strong_acr.join(' '),
    strong_amr: provider.strong_amr.join(' '),
  };
}

/** What is sent: a secret that was left empty stays as it is. */
export function changeOf(form: ProviderForm): Record<string, unknown> {
  return {
    issuer: form.issuer.trim(),
    client_id: form.client_id.trim(),
    ...(form.secret !== '' && { secret: form.secret }),
    label: form.label.trim(),
    scopes: words(form.scopes),
    by_email: form.by_email,
    strong_acr: words(form.strong_acr),
    strong_amr: words(form.strong_amr),
  };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/u).filter(Boolean);
}
