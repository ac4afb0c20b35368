// express-pouchdb on LevelDB: the CouchDB protocol, without accounts. Arguments: port, folder of the data.
'use strict';
const [port, prefix] = process.argv.slice(2);
const PouchDB = require('pouchdb').defaults({ prefix });
const app = require('express')();
app.use(
  '/',
  require('express-pouchdb')(PouchDB, { inMemoryConfig: true, mode: 'minimumForPouchDB' }),
);
app.listen(Number(port), '127.0.0.1');
