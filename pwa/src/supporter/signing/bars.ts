/** Who may not give a dose, fetched when it is asked: most of what is done is none. */
import type { Resident } from '../../care/residents.svelte';
import type { Question } from './who';

/** Where what knows it could not be fetched nobody is barred: what is done is kept, and the server marks it. */
export async function barsFor(
  resident: Resident,
  order: { space: string; rec: string },
  at: number,
): Promise<Pick<Question, 'bars'>> {
  try {
    const { barsOf } = await import('../medication/delegated');
    return { bars: await barsOf(resident, order, at) };
  } catch {
    return {};
  }
}
