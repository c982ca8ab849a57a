/** There is no page at this address */
export default function NotFoundPage() {
  return <h1>There is no page at this address</h1>;
}
