-- Nothing but the look at the epoch. Parts: store
return 1
