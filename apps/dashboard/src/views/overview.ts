/** The topic `overview`: what every page shows of the whole. */
export interface OverviewView {
  redis: {
    reachable: boolean;
    version: string | null;
    /** Why Millrace must not use this server, in words for the operator. */
    unfit: string | null;
  };
}
