/** Who signs what is done on this device: whoever is signed in, or somebody else who has a PIN here and enters it. */
import { mount, unmount } from 'svelte';

import { needAreas } from '../../app/i18n.svelte';
import { mos } from '../../app/mos.svelte';
import type { PinPerson } from '../../app/pins';
import type { Permission } from '../../care/permissions';
import type { Writer } from '../../offline/signing';

/** Whoever signs, and what writes in their name. */
export interface Signed {
  account: string;
  /** Null: whoever is signed in. */
  name: string | null;
  write: Writer;
  /** What takes it back: in the same name while that can be signed, else as whoever is signed in. */
  back: () => Writer;
  /** Who did it, in words, where no PIN could be checked; else empty. */
  givenBy: string;
}

export interface Question {
  /** The space that is written in. */
  space: string;
  /** Of whom, in words. */
  called: string;
  /** What is signed, in words. */
  about: string;
  needs: Permission;
  /** What is recorded can say who did it: a dose, or something else. */
  says?: 'dose' | 'other';
  /** Why this account may not sign, where more than a permission counts; null: it may. */
  bars?: (account: string) => string | null;
}

/** Whoever is signed in. */
export function me(givenBy = ''): Signed {
  const { replica } = mos;
  return {
    account: mos.session?.account.id ?? '',
    name: null,
    write: replica,
    back: () => mos.replica,
    givenBy,
  };
}

/** Who else can sign on this device, by name. */
export function othersHere(): readonly PinPerson[] {
  const own = mos.session?.account.id;
  return (mos.session?.signers ?? []).filter(
    ({ account, role }) => account !== own && role !== 'resident',
  );
}

/** Who signs a dose: asked where the device asks so, or where whoever is signed in may not; else whoever is signed in. Null: they turned back. */
export function signer(question: Question): Promise<Signed | null> {
  const barred = (question.bars?.(mos.session?.account.id ?? '') ?? null) !== null;
  const asks = (question.says === 'dose' && mos.session?.asks_signer === true) || barred;
  return asks ? ask(question, { own: true }) : Promise.resolve(me());
}

/** Somebody else signs. Null: they turned back. */
export function otherSigner(question: Question): Promise<Signed | null> {
  return ask(question, { own: false });
}

async function ask(question: Question, { own }: { own: boolean }): Promise<Signed | null> {
  const [{ default: SignDialog }] = await Promise.all([
    import('./SignDialog.svelte'),
    needAreas('signin', 'kit', 'trouble'),
  ]);
  return new Promise((resolve) => {
    const dialog = mount(SignDialog, {
      target: document.body,
      props: {
        question,
        own,
        onend: (signed: Signed | null) => {
          resolve(signed);
          void unmount(dialog);
        },
      },
    });
  });
}
