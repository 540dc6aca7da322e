"""The format `hdf5`: robomimic's layout, a checksum, compressed frames. Its door is `format`."""
