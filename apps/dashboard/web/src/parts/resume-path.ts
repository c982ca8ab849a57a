/** Where a limit is opened: from its banner and from its row. */
export const resumePath = (limit: string): string => `/api/limits/${encodeURIComponent(limit)}/resume`;
