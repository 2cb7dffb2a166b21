# shellcheck shell=bash
# shellcheck disable=SC2154 # $state, $memory … come from whoever sources this
# The machine: QEMU with Xen, dom0's disk as an overlay, fresh disks for volume groups, one forwarded loopback port.

qemu_pid() { own_pid "$state/qemu.pid" "$state/qemu.pid"; }
machine_runs() { qemu_pid >/dev/null; }

ssh_options() {
  ssh_opts=(-F /dev/null -q -i "$state/key" -o BatchMode=yes -o ConnectTimeout=5 -o IdentitiesOnly=yes
    -o "UserKnownHostsFile=$state/known_hosts" -o HostKeyAlias=domsmith-lab -o StrictHostKeyChecking=accept-new
    -o ServerAliveInterval=15 -o ServerAliveCountMax=8
    -o ControlMaster=auto -o "ControlPath=$(<"$state/control")/ssh" -o ControlPersist=yes)
}

dom0() { # runs one command line in dom0
  ssh_options
  ssh "${ssh_opts[@]}" -p "$(<"$state/port")" root@127.0.0.1 "$@"
}

# One connection for all that follows: without it every command would pay a second of emulated key exchange.
open_connection() {
  ssh_options
  ssh "${ssh_opts[@]}" -p "$(<"$state/port")" -fN root@127.0.0.1 2>/dev/null </dev/null
}

# The images in the cache stay as they were made.
make_disks() {
  local base=$1 installed=$2
  rm -f -- "$state"/{host.qcow2,dom0.qcow2,dom0.img,vg0.img,vg1.img}
  if [[ -n $installed ]]; then
    qemu-img create -q -f qcow2 -F raw -b "$installed/HOST.img" "$state/host.qcow2"
  elif [[ -n $volatile ]]; then
    cp --sparse=always --reflink=auto -- "$base/lab-dom0.img" "$state/dom0.img"
  else
    qemu-img create -q -f qcow2 -F raw -b "$base/lab-dom0.img" "$state/dom0.qcow2"
  fi
  [[ -n $installed ]] || truncate -s "${DOMSMITH_LAB_VG0:-20G}" -- "$state/vg0.img"
  truncate -s 8G -- "$state/vg1.img"
}

disk() { # ID FILE FORMAT [OPTIONS]: the serial gives it a name in dom0 that doesn't depend on the order of probing
  qemu_args+=(-drive "if=none,id=$1,file=$2,format=$3,cache=unsafe,discard=unmap${4:-}" -device "virtio-blk-pci,drive=$1,serial=$1")
}

# What dom0 writes to these is gone with the power until dom0 flushes it.
volatile_disk() { # ID
  qemu_args+=(-drive "if=none,id=$1,driver=raw,cache=writeback,file.driver=nbd,file.server.type=unix,file.server.path=$(<"$state/control")/disks,file.export=$1"
    -device "virtio-blk-pci,drive=$1,serial=$1,write-cache=on")
}

disks_pid() { own_pid "$state/disks.pid" "$lab_dir/volatile_disk"; }

start_volatile_disks() {
  : >"$state/disks.out" # what the former ones said is not to be taken for these
  setsid "$lab_dir/volatile_disk" "$(<"$state/control")/disks" "dom0=$state/dom0.img" "vg0=$state/vg0.img" </dev/null \
    >"$state/disks.out" 2>&1 {state_lock}>&- &
  printf '%s\n' $! >"$state/disks.pid"
  wait_for_disks || { cat -- "$state/disks.out" >&2; die "the volatile disks did not start"; }
}

wait_for_disks() {
  local i
  for ((i = 0; i < 100; i++)); do
    ! grep -q ready "$state/disks.out" || return 0
    sleep 0.1
  done
  return 1
}

# The power goes: the disks stop where they are, what was not flushed is lost or kept as it comes, and the machine has no time to
# make anything of their errors.
cut_power() {
  local machine pid
  machine=$(qemu_pid) || die "no lab runs in $state"
  pid=$(disks_pid) || die "the disks of the lab in $state are not volatile; start it with: lab up --volatile"
  kill -USR1 "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
  kill -KILL "$machine"
  while kill -0 "$machine" 2>/dev/null; do sleep 0.02; done
  tail -n 1 -- "$state/disks.out"
  rm -rf -- "$(<"$state/control")" "$state/qemu.pid" "$state/disks.pid"
}

# What Debian's dom0 is started with; the installed host has its own words on its own disk.
# shellcheck disable=SC2054 # the commas are QEMU's
debian_arguments() {
  local base=$1 xen linux console=hvc0
  [[ -z $without_xen ]] || console=ttyS0
  # Nothing to defend against in here, and each mitigation is emulated at a price; no scrubbing of memory that QEMU gave zeroed.
  xen="console=com1 com1=115200,8n1 dom0_mem=${dom0_memory}M,max:${dom0_memory}M dom0_max_vcpus=2 bootscrub=0 spec-ctrl=no"
  # Its check of the timer fails where the machine is too busy to give QEMU its ticks.
  # A crash ends the machine at once (with -no-reboot) instead of leaving it to the deadline.
  # Drivers of the chipset that nothing here uses are not worth their start-up time.
  linux="console=$console root=LABEL=lab-dom0 rw no_timer_check mitigations=off audit=0 nowatchdog random.trust_cpu=on panic=5"
  linux+=" module_blacklist=ahci,libahci,iTCO_wdt,iTCO_vendor_support,pcspkr,snd_pcsp,powernow_k8,i2c_i801,lpc_ich,joydev,evdev,psmouse,cfg80211"
  # On a crowded machine nothing may be given up here: the deadline is outside.
  linux+=" systemd.default_timeout_start_sec=600 ${DOMSMITH_LAB_LINUX_ARGS:-}"
  if [[ -n $without_xen ]]; then
    qemu_args+=(-kernel "$base/kernel" -append "$linux" -initrd "$base/initrd.img")
  else # in a module's words QEMU takes a doubled comma for a comma
    qemu_args+=(-kernel "$base/xen.elf" -append "$xen ${DOMSMITH_LAB_XEN_ARGS:-}"
      -initrd "$base/kernel ${linux//,/,,},$base/initrd.img")
  fi
}

# Emulation always: where /dev/kvm exists inside another virtual machine, Xen's guests hang in it. -cpu max and EPYC crash Xen
# or dom0 early; qemu64 with SVM and nested paging boots PV, PVH and HVM guests.
# shellcheck disable=SC2054 # the commas are QEMU's
machine_arguments() {
  local base=$1 installed=$2 port=$3 processors=3
  [[ -z $without_xen ]] || processors=1
  qemu_args=(-name domsmith-lab -machine q35,hpet=off,vmport=off -accel tcg,thread=multi,tb-size=512 -cpu qemu64,+svm,+npt
    -smp "$processors" -m "$memory" -nodefaults -no-user-config -display none -monitor none -no-reboot -daemonize
    -pidfile "$state/qemu.pid" -serial "file:$state/serial.log"
    -netdev "user,id=net0,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net0,romfile=
    -device virtio-rng-pci)
  if [[ -n $installed ]]; then
    disk host "$state/host.qcow2" qcow2
    [[ -z $base ]] || disk tools "$base/lab-dom0.img" raw ,readonly=on
  else
    debian_arguments "$base"
    if [[ -n $volatile ]]; then
      volatile_disk dom0
      volatile_disk vg0
    else
      disk dom0 "$state/dom0.qcow2" qcow2
      disk vg0 "$state/vg0.img" raw
    fi
  fi
  disk vg1 "$state/vg1.img" raw
  disk payload "$state/payload.img" raw ,readonly=on
}

# QEMU itself tells whether a port is free; asking first would leave a gap for somebody else.
start_machine() {
  local base=$1 installed=$2 port try
  for ((try = 0; try < 20; try++)); do
    port=$((RANDOM % 20000 + 20000))
    machine_arguments "$base" "$installed" "$port"
    printf '%q ' qemu-system-x86_64 "${qemu_args[@]}" >"$state/command"
    # Its descriptors must not keep our locks or a caller's pipe open; setsid keeps the terminal's Ctrl-C away from it.
    if setsid qemu-system-x86_64 "${qemu_args[@]}" </dev/null >"$state/qemu.out" 2>&1 {state_lock}>&-; then
      printf '%s\n' "$port" >"$state/port"
      start_watchdog
      return 0
    fi
    grep -q 'Could not set up host forwarding' "$state/qemu.out" || break
  done
  cat -- "$state/qemu.out" >&2
  die "QEMU did not start; its command line is in $state/command"
}

start_watchdog() {
  setsid "$lab_dir/watchdog" "$state/qemu.pid" "$limit" </dev/null >>"$state/watchdog.log" 2>&1 {state_lock}>&- &
  disown
}

stop_machine() {
  local pid
  if [[ -s $state/control && -d $(<"$state/control") ]]; then
    ssh_options
    ssh "${ssh_opts[@]}" -O exit root@127.0.0.1 2>/dev/null || true
    rm -rf -- "$(<"$state/control")"
  fi
  if pid=$(qemu_pid); then
    end_pid "$pid"
  fi
  if pid=$(disks_pid); then
    end_pid "$pid"
  fi
  rm -f -- "$state"/{qemu.pid,disks.pid,port,control,key,key.pub,known_hosts} "$state"/{host.qcow2,dom0.qcow2,dom0.img,vg0.img,vg1.img,payload.img}
}
