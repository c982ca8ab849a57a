/** A flow */
export default function FlowPage() {
  return <h1>A flow</h1>;
}
