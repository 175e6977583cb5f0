-- Set a value aside that is of no shape that is ours. Parts: store
-- Inputs: where it was. ARGV[4]: the value.
quarantine(A, ARGV[4])
keep_counts()
