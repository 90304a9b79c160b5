// Runs a settlement again through the visitor's own wallet: the node behind it is asked, never this site.
// Nothing is signed or sent. What the server says of the settlement is compared with what that node says.
const place = document.getElementById("verify");
const button = document.getElementById("verify-button");
const steps = document.getElementById("verify-steps");
const providers = new Map();

const found = () => {
  if (!place || !button) return;
  const name = document.getElementById("verify-wallet");
  const wallets = [...providers.values()];
  button.hidden = wallets.length === 0 && !window.ethereum;
  name.textContent = wallets.length ? `Found: ${wallets.map((each) => each.info.name).join(", ")}` : (window.ethereum ? "" : "This browser has no wallet.");
};
// EIP-6963: wallets announce themselves.
window.addEventListener("eip6963:announceProvider", (event) => {
  providers.set(event.detail.info.uuid, event.detail);
  found();
});
window.dispatchEvent(new Event("eip6963:requestProvider"));
found();

const tell = (fine, text) => {
  const item = document.createElement("li");
  item.className = fine === null ? "told" : fine ? "held" : "failed";
  item.textContent = `${fine === null ? "" : fine ? "Holds: " : "DOES NOT HOLD: "}${text}`;
  steps.append(item);
  return fine;
};

const words = (data) => (data.slice(10).match(/.{64}/g) ?? []);

// The settlement is the call's one argument: ten words, of which the first two are job and round and the last says
// where the proof begins.
const read = (data) => {
  const all = words(data);
  const base = Number(BigInt(`0x${all[0]}`)) / 32;
  const proof = base + Number(BigInt(`0x${all[base + 9]}`)) / 32;
  return { job: BigInt(`0x${all[base]}`), round: BigInt(`0x${all[base + 1]}`), proofAt: 10 + 64 * (proof + 1), proofBytes: Number(BigInt(`0x${all[proof]}`)) };
};

const withOneBitChanged = (data, at) => {
  const digit = (parseInt(data[at], 16) ^ 1).toString(16);
  return data.slice(0, at) + digit + data.slice(at + 1);
};

async function check() {
  steps.replaceChildren();
  const wanted = place.dataset;
  const provider = [...providers.values()][0]?.provider ?? window.ethereum;
  const ask = (method, params = []) => provider.request({ method, params });

  const chain = await ask("eth_chainId");
  if (!tell(BigInt(chain) === BigInt(wanted.chain), `the wallet is on chain ${BigInt(chain)}, the market on ${wanted.chain}.`)) return;
  const sent = await ask("eth_getTransactionByHash", [wanted.transaction]);
  if (!sent) {
    tell(false, "its node does not know the settlement's transaction; it may not keep old ones.");
    return;
  }
  const same = (one, other) => one?.toLowerCase() === other.toLowerCase();
  const block = BigInt(sent.blockNumber);
  if (!tell(same(sent.to, wanted.market) && block === BigInt(wanted.block), `its node has the transaction in block ${block}, to the market.`)) return;
  const settlement = read(sent.input);
  if (!tell(settlement.job === BigInt(wanted.job) && settlement.round === BigInt(wanted.round), `it settles round ${settlement.round} of job ${settlement.job}.`)) return;
  if (!tell(same(sent.from, wanted.aggregator), "it comes from the job's aggregator.")) return;

  const parent = `0x${(block - 1n).toString(16)}`;
  const call = (data) => ({ from: sent.from, to: sent.to, data, gas: sent.gas });
  const run = async (data) => {
    try {
      await ask("eth_call", [call(data), parent]);
    } catch (fault) {
      // The block before may be older than the window's end; then the settlement's own time is asked for.
      const { timestamp } = await ask("eth_getBlockByNumber", [sent.blockNumber, false]);
      try {
        await ask("eth_call", [call(data), parent, {}, { time: timestamp }]);
      } catch { throw fault; }
    }
  };
  try {
    await run(sent.input);
  } catch (fault) {
    const why = String(fault?.message ?? fault).slice(0, 200);
    tell(false, `run again on the state after block ${block - 1n}, its node answers: ${why} — a node that keeps no old states can't answer this.`);
    return;
  }
  tell(true, `run again on the state after block ${block - 1n}, the contract accepts proof, matrix and pay.`);
  const changed = withOneBitChanged(sent.input, settlement.proofAt + 2 * Math.floor(settlement.proofBytes / 2) + 1);
  const refused = await run(changed).then(() => false, () => true);
  tell(refused, "with one bit of the proof changed, the contract refuses the same settlement.");
  tell(null, "What you see here is your node's word; this site was not asked.");
}

button?.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await check();
  } catch (fault) {
    tell(false, fault?.code === 4001 ? "you did not let the wallet answer." : `the wallet answers: ${String(fault?.message ?? fault).slice(0, 200)}`);
  } finally {
    button.disabled = false;
  }
});
