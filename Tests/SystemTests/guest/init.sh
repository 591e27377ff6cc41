#!/bin/sh
# Process 1 of a user-mode Linux whose root is the host's, read-only. Puts a throw-away overlay on
# top, so that nothing written here reaches the host but what goes to /out, and goes on there.
# From the kernel's command line: bed_here (this folder), bed_out (becomes /out), bed_layer (a
# folder that lies over the host's root, may be empty).
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc 2>/dev/null
insmod "/usr/lib/uml/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko"
mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root
lower=/
if [ -n "$bed_layer" ]; then
    # A mount of its own: an overlay refuses lower layers within each other.
    mkdir /mnt/layer && mount -t hostfs -o "ro,$bed_layer" layer /mnt/layer
    lower=/mnt/layer:/
fi
mount -t overlay overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root ||
    exec busybox poweroff -f
root=/mnt/root
mount -t proc proc $root/proc
mount -t sysfs sys $root/sys
mount -t devtmpfs dev $root/dev 2>/dev/null
mkdir -p $root/dev/pts $root/dev/shm $root/dev/net $root/lib/modules $root/out
mount -t devpts devpts $root/dev/pts
mount -t tmpfs tmpfs $root/dev/shm
[ -e $root/dev/fd ] || ln -s /proc/self/fd $root/dev/fd
mount -t tmpfs -o mode=755 tmpfs $root/run
mkdir -p $root/run/lock
mount --bind /usr/lib/uml/modules $root/lib/modules
mount -t hostfs -o "$bed_out" out $root/out
cd $root && exec chroot . /bin/bash "$bed_here/main.sh"
