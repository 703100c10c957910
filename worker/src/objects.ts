/** Ids that are remembered of each class of objects: more than an isolate has organisations at hand. */
const MOST = 1_000;

const known = new WeakMap<object, Map<string, DurableObjectId>>();

/**
 * The object of this name. Its id is a hash of the name, made once; the stub is made for each call, since it belongs to
 * the request that is running now.
 */
export function objectOf<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<T>,
  name: string,
): DurableObjectStub<T> {
  let ids = known.get(namespace);
  if (!ids) known.set(namespace, (ids = new Map<string, DurableObjectId>()));
  let id = ids.get(name);
  if (!id) {
    if (ids.size >= MOST) ids.clear();
    ids.set(name, (id = namespace.idFromName(name)));
  }
  return namespace.get(id);
}
