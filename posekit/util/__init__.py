"""Below everything: errors, whole files, processes, threads, the cache folder."""
