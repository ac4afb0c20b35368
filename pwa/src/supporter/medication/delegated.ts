/** Why somebody may not say that a dose was given: asked before it is signed, with or without contact. */
import { locale, needAreas, t } from '../../app/i18n.svelte';
import { mos } from '../../app/mos.svelte';
import type { Resident } from '../../care/residents.svelte';
import { lack } from '../../medication/delegation';
import { activeOf } from '../../medication/order';
import type { Question } from '../signing/who';
import { mayIn } from './medicines.svelte';
import { taskWords } from './words';

/** Who may not give a dose of an order at `at` (ms), and why, in words. */
export async function barsOf(
  resident: Resident,
  { space, rec }: { space: string; rec: string },
  at: number,
): Promise<NonNullable<Question['bars']>> {
  await needAreas('delegation');
  const v = activeOf(mos.replica.row(space, 'order', rec)?.doc ?? {});
  const asked = v?.['delegation'];
  const task = typeof asked === 'string' ? asked : null;
  return (account) => {
    const { session } = mos;
    if (session === null) return null;
    const own = account === session.account.id;
    const signer = session.signers?.find((each) => each.account === account);
    const lacks = lack({
      policy: session.organisation.policy,
      role: own ? session.account.role : (signer?.role ?? ''),
      // Of anybody else the server says it, with their PIN.
      signs: !own || mayIn(space, 'medication.sign'),
      task,
      held: (session.delegations ?? []).filter(
        (each) => each.account === account && each.space === resident.space,
      ),
      at,
    });
    if (lacks === null) return null;
    return [lacks === 'sign' ? t('delegation.may_not_sign') : lacksWords(), tellWords()].join(' ');

    function lacksWords(): string {
      const said = { task: taskWords(task ?? '') };
      return own
        ? t('delegation.lacks_you', said)
        : t('delegation.lacks', { ...said, who: signer?.name ?? '' });
    }
  };
}

/** The nurses here by name, where they are known. */
function tellWords(): string {
  const { session } = mos;
  const nurses = (session?.people ?? []).filter(
    ({ id, role }) => role === 'nurse' && id !== session?.account.id,
  );
  if (nurses.length === 0) return t('delegation.tell_nurse');
  const either = new Intl.ListFormat(locale(), { type: 'disjunction' });
  return t('delegation.tell', { names: either.format(nurses.map(({ name }) => name)) });
}
