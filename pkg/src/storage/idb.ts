// The only import by name in the package. The build puts the library itself in this file's place, so that a page can load
// the package from plain files, without an import map.

export { wrap, type DBSchema, type IDBPDatabase } from 'idb';
