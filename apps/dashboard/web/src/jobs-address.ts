/** The address of the list of jobs with filters set, as its page reads them. */
export function jobsAddress(filters: Readonly<Record<string, string>>): string {
  return `/jobs?${new URLSearchParams(filters)}`;
}
