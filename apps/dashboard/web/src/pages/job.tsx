/** A job */
export default function JobPage() {
  return <h1>A job</h1>;
}
