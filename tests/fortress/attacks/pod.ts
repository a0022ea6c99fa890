/**
 * What code can do in the engine's container when Deno's permissions have failed: this runs there with all of them.
 * Prints what came of each attack, as `deno.ts` beside it gives it. Its one argument is the scene.
 */

interface Scene {
  readonly host: string;
  readonly declared: number;
  readonly undeclared: number;
  /** Another pod, which listens on 8080. */
  readonly neighbour: string;
  /** Addresses of kube-dns' pods. */
  readonly dns: string;
}

type Attack = () => unknown;

const scene: Scene = JSON.parse(Deno.args[0] ?? "{}");

/** Calls of the C library that give -1 when the kernel refuses them. */
const libc = Deno.dlopen("libc.so.6", {
  setuid: { parameters: ["u32"], result: "i32" },
  setgid: { parameters: ["u32"], result: "i32" },
  unshare: { parameters: ["i32"], result: "i32" },
  chroot: { parameters: ["buffer"], result: "i32" },
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "pointer"], result: "i32" },
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  mknod: { parameters: ["buffer", "u32", "u64"], result: "i32" },
  sethostname: { parameters: ["buffer", "usize"], result: "i32" },
  reboot: { parameters: ["i32"], result: "i32" },
  swapoff: { parameters: ["buffer"], result: "i32" },
  setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
}).symbols;

const c = (text: string) => new TextEncoder().encode(`${text}\0`);
const returns = (status: number) => {
  if (status < 0) throw new Error("refused");
  return status;
};

const status = Deno.readTextFileSync("/proc/self/status");
/** There the kernel that is called is gVisor's own, for this pod alone. */
const sandboxed = Deno.readTextFileSync("/proc/version").includes("gvisor");
const line = (name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1] ?? "none";

/** Whether a TCP connection opens; what a policy drops has no answer. */
async function connects(hostname: string, port: number): Promise<string> {
  using _ = await Deno.connect({ hostname, port });
  return "open";
}

async function asks(ipAddr: string): Promise<string[]> {
  return await Deno.resolveDns("kubernetes.default.svc.cluster.local", "A", {
    nameServer: { ipAddr, port: 53 },
  });
}

function write(path: string): string {
  Deno.writeTextFileSync(path, "planted", { append: true });
  return path;
}

/** Mounts that can be written by whoever may, but for what every container has. */
function writable(): string[] {
  const lines = Deno.readTextFileSync("/proc/self/mounts").trim().split("\n");
  const found = lines.map((it) => it.split(" ")).filter(([, , , options = ""]) =>
    options.split(",").includes("rw")
  );
  return found.map(([, path = ""]) => path).filter((path) => !/^\/(dev|proc|sys)(\/|$)/.test(path))
    .filter((path) => !/^\/etc\/(hosts|hostname|resolv\.conf)$/.test(path)).sort();
}

const attacks: Record<string, Attack> = {
  "root-write": () => write("/planted"),
  "engine-write": () => write("/app/engine/main.ts"),
  "code-write": () => write("/app/workflow/nodes/planted.ts"),
  "secrets-write": () => write("/app/secrets/planted"),
  "deno-replace": () => Deno.renameSync("/tmp/planted", Deno.execPath()),
  "passwd-write": () => write("/etc/passwd"),
  "hosts-write": () => write("/etc/hosts"),
  "resolver-write": () => write("/etc/resolv.conf"),
  "writable-mounts": () => writable(),
  "user": () => `${Deno.uid()}:${Deno.gid()}`,
  "groups": () => status.match(/^Groups:\s*(.*?)\s*$/m)?.[1],
  "become-root": () => returns(libc.setuid(0)),
  "become-roots-group": () => returns(libc.setgid(0)),
  "capabilities": () => [line("CapEff"), line("CapPrm"), line("CapBnd")],
  "new-privileges": () => line("NoNewPrivs"),
  "seccomp": () => sandboxed ? "gVisor" : line("Seccomp"),
  "user-namespace": () => returns(libc.unshare(0x10000000)),
  "mount-namespace": () => returns(libc.unshare(0x00020000)),
  "mount": () => returns(libc.mount(c("none"), c("/tmp"), c("tmpfs"), 0n, null)),
  "unmount": () => returns(libc.umount2(c("/app/secrets"), 2)),
  "chroot": () => returns(libc.chroot(c("/tmp"))),
  "device": () => returns(libc.mknod(c("/tmp/disk"), 0o060600, 0x800n)),
  "raw-socket": () => returns(libc.socket(2, 3, 1)),
  "packet-socket": () => returns(libc.socket(17, 3, 0x300)),
  "hostname": () => returns(libc.sethostname(c("x"), 1n)),
  "reboot": () => returns(libc.reboot(0)),
  "swap": () => returns(libc.swapoff(c("/dev/sda"))),
  "priority": () => {
    const status = libc.setpriority(0, 0, -20);
    return sandboxed ? ["gVisor", status] : returns(status);
  },
  "token": () => Array.from(Deno.readDirSync("/var/run/secrets/kubernetes.io/serviceaccount")),
  "service-links": () =>
    Object.keys(Deno.env.toObject()).filter((it) =>
      it.endsWith("_SERVICE_HOST") && it !== "KUBERNETES_SERVICE_HOST"
    ),
  "shell": () => new Deno.Command("/bin/sh").outputSync().code,
  "other-tools": () => new Deno.Command("/usr/bin/curl").outputSync().code,
  "run-from-tmp": () => {
    Deno.writeTextFileSync("/tmp/planted.sh", "#!/bin/sh\n", { mode: 0o755 });
    return new Deno.Command("/tmp/planted.sh").outputSync().code;
  },
  "container-sockets": () =>
    ["/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock"].map((it) =>
      Deno.statSync(it).isSocket
    ),
  "processes": () => {
    const all = Array.from(Deno.readDirSync("/proc")).filter(({ name }) => /^\d+$/.test(name));
    const named = all.map(({ name }) => Deno.readTextFileSync(`/proc/${name}/cmdline`));
    return named.filter((it) => !/^(\S*\/)?deno\0/.test(it));
  },
  "interfaces": () =>
    [...new Set(Deno.networkInterfaces().map(({ name }) => name))].filter((it) =>
      !/^(lo|eth0)$/.test(it)
    ),
  "disks": () =>
    Array.from(Deno.readDirSync("/dev")).map(({ name }) => name)
      .filter((it) => /^(sd|vd|nvme|xvd|mem$|kmem|loop|dm-)/.test(it)),
  "core-pattern": () => write("/proc/sys/kernel/core_pattern"),
  "sysrq": () => write("/proc/sysrq-trigger"),
  "kernel-memory": () => Deno.openSync("/proc/kcore").readSync(new Uint8Array(8)),
  "own-memory-limit": () => write("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
  "release-agent": () => write("/sys/fs/cgroup/memory/release_agent"),
  "helper": () => write("/sys/kernel/uevent_helper"),
  "own-secrets": () =>
    Array.from(Deno.readDirSync("/app/secrets")).filter(({ name }) => !name.startsWith("."))
      .map(({ name }) => name),
  "policy-declared": () => connects(scene.host, scene.declared),
  "policy-port": () => connects(scene.host, scene.undeclared),
  "policy-api-server": () => connects(scene.host, 6443),
  "policy-api-service": () => connects("kubernetes.default.svc.cluster.local", 443),
  "policy-kubelet": () => connects(scene.host, 10250),
  "policy-etcd": () => connects(scene.host, 2379),
  "policy-metadata": () => connects("169.254.169.254", 80),
  "policy-neighbour": () => connects(scene.neighbour, 8080),
  "policy-dns-health": () => connects(scene.dns, 8080),
  "policy-dns-elsewhere": () => asks(scene.host),
  "policy-udp": async () => {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    const to = { transport: "udp", hostname: scene.host, port: scene.declared } as const;
    return await socket.send(new TextEncoder().encode("stolen"), to);
  },
  "policy-dns": () => Deno.resolveDns("kubernetes.default.svc.cluster.local", "A"),
  "policy-own-engine": () => connects("127.0.0.1", 8080),
};

/** Milliseconds after which a connection is not going to open. */
const PATIENCE = 2_000;

async function outcome(attack: Attack): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), PATIENCE);
  });
  try {
    const value = await Promise.race([attack(), late]);
    return `reached ${(JSON.stringify(value) ?? "nothing").slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 160) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

const found: Record<string, string> = {};
const all = Object.entries(attacks);
await Promise.all(all.map(async ([name, attack]) => {
  found[name] = await outcome(attack);
}));
console.log(JSON.stringify(found));
Deno.exit(0);
