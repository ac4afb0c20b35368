/** Texts of the administrator's screens: a family has no units and no staff, and is spoken to in its own words. */
import { locale, t, type Key, type Params } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import type { Permission } from '../care/permissions';

const OF_FAMILY: Readonly<Partial<Record<Key, Key>>> = {
  'admin.start.text': 'admin.start.text.family',
  'admin.start.all': 'admin.start.all.family',
  'admin.step.people.do': 'admin.step.people.do.family',
  'admin.step.resident': 'admin.step.resident.family',
  'admin.step.resident.text': 'admin.step.resident.text.family',
  'admin.step.resident.do': 'admin.step.resident.do.family',
  'admin.step.tablet.text': 'admin.step.tablet.text.family',
  'admin.people': 'admin.people.family',
  'admin.people.text': 'admin.people.text.family',
  'admin.person.new': 'admin.person.new.family',
  'admin.role.relative': 'admin.role.relative.family',
  'admin.residents': 'admin.residents.family',
  'admin.residents.text': 'admin.residents.text.family',
  'admin.residents.none': 'admin.residents.none.family',
  'admin.residents.none_text': 'admin.residents.none_text.family',
  'admin.resident.new': 'admin.resident.new.family',
  'admin.resident.language': 'admin.resident.language.family',
  'admin.relations.none_text': 'admin.relations.none_text.family',
  'admin.relation.all_of': 'admin.relation.all_of.family',
  'admin.permission.care_manage': 'admin.permission.care_manage.family',
  'admin.error.last_admin': 'admin.error.last_admin.family',
  'admin.error.forbidden': 'admin.error.forbidden.family',
  'admin.error.field.space': 'admin.error.field.space.family',
};

/** Is this a family that runs itself? */
export function isFamily(): boolean {
  return mos.session?.organisation.policy === 'family';
}

/** As `t`, in a family's words where there are some. */
export function say(key: Key, params: Params = {}): string {
  return t((isFamily() ? OF_FAMILY[key] : undefined) ?? key, params);
}

const OF_PERMISSION: Readonly<Record<Permission, Key>> = {
  'plan.view': 'admin.permission.plan_view',
  'outcome.record': 'admin.permission.outcome_record',
  'alert.take': 'admin.permission.alert_take',
  'plan.edit': 'admin.permission.plan_edit',
  'meals.view': 'admin.permission.meals_view',
  'meals.edit': 'admin.permission.meals_edit',
  'medication.view': 'admin.permission.medication_view',
  'medication.edit': 'admin.permission.medication_edit',
  'medication.sign': 'admin.permission.medication_sign',
  'statistics.view': 'admin.permission.statistics_view',
  'log.view': 'admin.permission.log_view',
  'sound.choose': 'admin.permission.sound_choose',
  'care.manage': 'admin.permission.care_manage',
};

function isPermission(word: string): word is Permission {
  return word in OF_PERMISSION;
}

/** One thing that somebody may do, as a list names it: "Se dagen". */
export function permissionWords(permission: Permission): string {
  return say(OF_PERMISSION[permission]);
}

/** "se dagen, ta larm och ändra läkemedel": always in the same order. Whoever changes something sees it, unsaid; a newer
 *  server's word is left out. */
export function mayWords(permissions: readonly string[]): string {
  const isSaid = (each: string): boolean =>
    each === 'plan.view' ||
    !permissions.includes(each.replace(/\.view$/, '.edit')) ||
    !each.endsWith('.view');
  const held = Object.keys(OF_PERMISSION).filter(
    (each) => permissions.includes(each) && isSaid(each),
  );
  const words = held
    .filter(isPermission)
    .map(permissionWords)
    .map((each) => each.charAt(0).toLocaleLowerCase(locale()) + each.slice(1));
  return new Intl.ListFormat(locale()).format(words);
}
