/** Once more who one is, before something that matters: a dialog above whatever is shown. One at a time. */
import { mount, unmount } from 'svelte';
import { api, ApiError } from './api';
import { needAreas } from './i18n.svelte';
import { mos } from './mos.svelte';
import StepUp from './StepUp.svelte';

let asking: Promise<boolean> | null = null;

/** Ask; false when the person turned back. Who asks meanwhile gets the same answer. */
export function stepUp(): Promise<boolean> {
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

async function ask(): Promise<boolean> {
  if (mos.session?.demo === true && (await asDemo())) return true;
  await needAreas('signin', 'trouble');
  return new Promise((resolve) => {
    const dialog = mount(StepUp, {
      target: document.body,
      props: {
        onend: (done: boolean) => {
          resolve(done);
          void unmount(dialog);
        },
      },
    });
  });
}

/** Nobody in a demo knows a password, and everybody shares one. */
async function asDemo(): Promise<boolean> {
  const { demo_password: password } = await api.get<{ demo_password?: string }>('installation');
  try {
    await api.post('session/step-up/password', { password });
    return true;
  } catch (error) {
    // Somebody tried passkeys out: then theirs is asked for.
    if (error instanceof ApiError) return false;
    throw error;
  }
}
