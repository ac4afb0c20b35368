/** From records to a day. Pure: the rows and the moment are arguments.
 *
 *  Signatures other folders build on:
 *  - `readReminder(row)`, `readProfile(row)`, `readAlert(row)`: a Row to its type; unknown stays unknown.
 *  - `dayOf(rows, { zone, date, now })`: that local date's items, ordered by start, sleep that began the evening before included.
 *  - `nowAndNext(items, now)`: what the Nu and Sen cards show.
 */
export {};
