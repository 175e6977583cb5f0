// Spreads the large collections of the link index that mongosh is connected to over the shards of its cluster.
// Name the index's database in the URL: mongosh mongodb://MONGOS/NAME deploy/mongodb/shard.js
for (const name of ["links", "past", "pages", "leads", "ranks", "pairs"]) {
  const space = `${db.getName()}.${name}`;
  const known = db.getSiblingDB("config").collections.findOne({ _id: space });
  if (known) {
    print(`${space}: sharded already, by ${EJSON.stringify(known.key)}`);
  } else {
    sh.shardCollection(space, { _id: 1 });
    print(`${space}: sharded by _id`);
  }
}
