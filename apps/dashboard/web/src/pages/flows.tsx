/** Flows */
export default function FlowsPage() {
  return <h1>Flows</h1>;
}
