"""The measurements that `make bench` runs; a module whose name begins with _ is a part of one."""
