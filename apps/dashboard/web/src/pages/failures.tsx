/** Failures */
export default function FailuresPage() {
  return <h1>Failures</h1>;
}
