/** Asks the server whether a PIN is right, and returns what signs with it. */
import { api } from '../../app/api';
import { device } from '../../app/kept';
import { mos } from '../../app/mos.svelte';
import { may } from '../../care/permissions';
import { browserPlatform } from '../../offline/platform';
import { writerOf } from '../../offline/signing';
import { me, type Question, type Signed } from './who';

/** As `POST session/signature` answers. */
interface Signature {
  readonly sid: string;
  readonly sync_key: string;
  readonly account: string;
  readonly name: string;
  readonly permissions: readonly string[];
}

/** How long it signs, less what a slow network and a slow hand take, ms. */
const SIGNS_MS = 4 * 60_000;

/** They may not do this for the resident. */
export class MayNot extends Error {}

/** Fails with `ApiError` where the PIN is wrong, must wait or could not be checked, and with `MayNot`. */
export async function sign(
  { space, needs }: Pick<Question, 'space' | 'needs'>,
  account: string,
  secret: string,
): Promise<Signed> {
  const began = performance.now();
  const signature = await api.post<Signature>('session/signature', { account, secret, space });
  if (!may(signature.permissions, needs)) throw new MayNot();
  const beside = mos.session?.account.id ?? '';
  // It was them; they write as they always do.
  if (account === beside) return me();
  const { replica } = device();
  const session = { sid: signature.sid, key: signature.sync_key };
  const write = await writerOf(replica, browserPlatform(), session, { account, beside });
  if (write === null) throw new Error('Without a secure context nobody is asked for a PIN.');
  return {
    account,
    name: signature.name,
    write,
    back: () => (performance.now() - began < SIGNS_MS ? write : mos.replica),
    givenBy: '',
  };
}
