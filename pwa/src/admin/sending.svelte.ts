/** One form on its way to the server: busy while it goes, and what came back under the field that it is about. */
import { ApiError } from '../app/api';
import { has } from '../app/i18n.svelte';
import { troubleWords } from '../app/trouble';
import { say } from './words';

export class Sending {
  busy = $state(false);
  /** Sentences by field; `''` for what is about no field. */
  errors = $state.raw<Record<string, string>>({});

  /** True when it went well. `fields` are those that the form shows. */
  async send(what: () => Promise<unknown>, fields: readonly string[] = []): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.errors = {};
    try {
      await what();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What stands in a channel's `settings` is named by what it is there.
      const field =
        error.field?.replace(/^settings\./, '').split(/[.[]/)[0] ?? FIELD_OF[error.code] ?? '';
      this.errors = { [fields.includes(field) ? field : '']: words(error) };
      return false;
    } finally {
      this.busy = false;
    }
  }

  fail(field: string, text: string): void {
    this.errors = { ...this.errors, [field]: text };
  }

  clear(): void {
    this.errors = {};
  }
}

const FIELD_OF: Record<string, string | undefined> = { email_taken: 'email', last_admin: 'role' };

function words(error: ApiError): string {
  const own = `admin.error.${error.code}`;
  if (has(own)) return say(own);
  const setting = /^settings\.(\w+)/.exec(error.field ?? '')?.[1];
  const ofField =
    setting === undefined
      ? `admin.error.field.${error.field ?? ''}`
      : `admin.error.setting.${setting}`;
  if (error.status === 400 && has(ofField)) return say(ofField);
  return troubleWords(error, Date.now());
}
