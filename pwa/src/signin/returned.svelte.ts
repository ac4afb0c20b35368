/** What comes of a provider's answer. One for the page: it counts once, however often the screen that shows it is made. */
import { api, ApiError } from '../app/api';
import { clock } from '../app/clock.svelte';
import { t } from '../app/i18n.svelte';
import {
  answerOf,
  errandOf,
  providerWords,
  STEPPED_UP,
  type Errand,
  type ProviderAnswer,
} from '../app/providers';
import { go, route } from '../app/router.svelte';
import type { Session } from '../app/session';
import { door } from './door.svelte';

class Returned {
  errand = $state<Errand>('enter');
  /** What went wrong, where that is not the door's to say. */
  trouble = $state<string | null>(null);
  proved = $state(false);
  /** Who it was is known, and a code is asked for beside. */
  ticket = $state<string | null>(null);
  #taken = false;

  /** Take what stands in the address, if it has not been: neither a reload nor the way back should meet it. */
  begin(): void {
    const { query } = route;
    if (query.size === 0) {
      if (!this.#taken) go('/', { replace: true });
      return;
    }
    this.#taken = true;
    this.errand = errandOf(query);
    const answer = answerOf(query);
    go('/logga-in/leverantor', { replace: true });
    if (answer === null) this.trouble = t('signin.provider.cancelled');
    else if (this.errand === 'enter') void this.#enter(answer);
    else void this.#settle(answer);
  }

  /** In, with a code beside. */
  async withCode(code: string): Promise<void> {
    const { ticket } = this;
    await door.open((device) => api.post('session/oidc/code', { ticket, code, ...device }));
    // The ticket is over: the way there has to be gone anew.
    if (door.error?.code === 'oidc_ended') this.ticket = null;
  }

  /** Back to where somebody set out from. */
  leave(): void {
    door.forgetError();
    this.trouble = this.ticket = null;
    this.#taken = false;
    go(this.errand === 'link' ? '/installningar' : '/', { replace: true });
  }

  async #enter(answer: ProviderAnswer): Promise<void> {
    await door.open(async (device) => {
      const came = await api.post<Session | { ticket: string }>('session/oidc/return', {
        answer,
        ...device,
      });
      if (!('ticket' in came)) return came;
      this.ticket = came.ticket;
      // As the password's door says it: nobody is in yet.
      throw new ApiError(401, 'code_needed');
    });
    if (door.error?.code === 'code_needed') door.forgetError();
  }

  async #settle(answer: ProviderAnswer): Promise<void> {
    try {
      if (this.errand === 'link') {
        await api.post('account/identity/return', answer);
        this.leave();
        return;
      }
      await api.post('session/step-up/oidc/return', answer);
      this.proved = true;
      const tabs = new BroadcastChannel(STEPPED_UP);
      tabs.postMessage(null);
      tabs.close();
      // Where the browser lets a page end itself, nobody has to.
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.trouble = providerWords(error, clock.minute);
    }
  }
}

export const returned = new Returned();
