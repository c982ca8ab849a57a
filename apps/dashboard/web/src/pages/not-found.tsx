/** An address that names no page, and the way back. */
import { Link, useLocation } from 'wouter';

export default function NotFoundPage() {
  const [path] = useLocation();
  return (
    <>
      <h1>There is no page at this address</h1>
      <p className="lead">
        <code>{path}</code> is none of the dashboard’s. A job that was removed has no page any more either.
      </p>
      <p>
        <Link href="/">To the overview</Link>, or <Link href="/jobs">look for a job</Link>.
      </p>
    </>
  );
}
