import portcullis_start  # never returns: the native program takes this process over
