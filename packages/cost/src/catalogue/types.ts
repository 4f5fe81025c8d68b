/** Where a number comes from and when it was true there. */
export interface Source {
  url: string;
  /** ISO date, or the year when that is all the source tells. */
  date: string;
  note?: string;
}
