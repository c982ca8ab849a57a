/** Who looks, and at what. Each page is a part of its own, fetched when it is first opened. */
import { Route, Switch } from 'wouter';
import { Frame } from './frame.tsx';
import { fetchedPage } from './parts/fetched-page.tsx';
import { SessionProvider } from './session.tsx';

const Overview = fetchedPage(() => import('./pages/overview.tsx'));
const Jobs = fetchedPage(() => import('./pages/jobs.tsx'));
const Job = fetchedPage(() => import('./pages/job.tsx'));
const Failures = fetchedPage(() => import('./pages/failures.tsx'));
const Cohort = fetchedPage(() => import('./pages/cohort.tsx'));
const Action = fetchedPage(() => import('./pages/action.tsx'));
const Batches = fetchedPage(() => import('./pages/batches.tsx'));
const Batch = fetchedPage(() => import('./pages/batch.tsx'));
const Flows = fetchedPage(() => import('./pages/flows.tsx'));
const Flow = fetchedPage(() => import('./pages/flow.tsx'));
const Cost = fetchedPage(() => import('./pages/cost.tsx'));
const Audit = fetchedPage(() => import('./pages/audit.tsx'));
const NotFound = fetchedPage(() => import('./pages/not-found.tsx'));

export function App() {
  return (
    <SessionProvider>
      <Frame>
        <Switch>
          <Route path="/" component={Overview} />
          <Route path="/jobs" component={Jobs} />
          <Route path="/jobs/:id" component={Job} />
          <Route path="/failures" component={Failures} />
          <Route path="/failures/:cause" component={Cohort} />
          <Route path="/actions/:id" component={Action} />
          <Route path="/batches" component={Batches} />
          <Route path="/batches/:id" component={Batch} />
          <Route path="/flows" component={Flows} />
          <Route path="/flows/:id" component={Flow} />
          <Route path="/cost" component={Cost} />
          <Route path="/audit" component={Audit} />
          <Route component={NotFound} />
        </Switch>
      </Frame>
    </SessionProvider>
  );
}
