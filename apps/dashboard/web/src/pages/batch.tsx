/** A batch */
export default function BatchPage() {
  return <h1>A batch</h1>;
}
