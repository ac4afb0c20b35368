/** What the signed-in person may do with a resident's space. The server decides; this only keeps screens honest. */

export type Permission =
  | 'plan.view'
  | 'plan.edit'
  | 'outcome.record'
  | 'alert.take'
  | 'meals.view'
  | 'meals.edit'
  | 'medication.view'
  | 'medication.edit'
  | 'medication.sign'
  | 'statistics.view'
  | 'log.view'
  | 'sound.choose'
  | 'care.manage';

export function may(permissions: readonly string[] | undefined, permission: Permission): boolean {
  return permissions?.includes(permission) ?? false;
}
