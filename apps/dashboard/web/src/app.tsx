/** Who looks, and at what. Each page is a part of its own, fetched when it is first opened. */
import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { Frame } from './frame.tsx';
import { SessionProvider } from './session.tsx';

const Overview = lazy(() => import('./pages/overview.tsx'));
const Jobs = lazy(() => import('./pages/jobs.tsx'));
const Job = lazy(() => import('./pages/job.tsx'));
const Failures = lazy(() => import('./pages/failures.tsx'));
const Cohort = lazy(() => import('./pages/cohort.tsx'));
const Action = lazy(() => import('./pages/action.tsx'));
const Batches = lazy(() => import('./pages/batches.tsx'));
const Batch = lazy(() => import('./pages/batch.tsx'));
const Flows = lazy(() => import('./pages/flows.tsx'));
const Flow = lazy(() => import('./pages/flow.tsx'));
const Cost = lazy(() => import('./pages/cost.tsx'));
const Audit = lazy(() => import('./pages/audit.tsx'));
const NotFound = lazy(() => import('./pages/not-found.tsx'));

export function App() {
  return (
    <SessionProvider>
      <Frame>
        <Suspense fallback={<p className="empty">Loading…</p>}>
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
        </Suspense>
      </Frame>
    </SessionProvider>
  );
}
