// Hands a prepared transaction to the wallet, exactly as the page shows it, and follows it. What was sent is remembered
// here and on the site, so that neither a reload nor a lost connection forgets it.
const place = document.getElementById("wallets");
const said = document.getElementById("outcome");
const say = (text, kind = "") => { if (said.textContent !== text) { said.textContent = text; said.className = `outcome ${kind}`; } };
const wallet = window.cairnWallet;
const key = `cairn-transaction-${place?.dataset.id}`;
const remembered = () => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (value) => { try { localStorage.setItem(key, value); } catch { /* the site has it too */ } };
const forget = () => { try { localStorage.removeItem(key); } catch { /* nothing was kept */ } };
const ASKED = "asked";
const EVERY = 1500;

const stage = () => document.getElementById("progress").dataset.stage;
const isOver = () => document.getElementById("progress").dataset.over === "yes";
// In the unit that leaves few zeros, with six decimals; upward for what is needed, so that it suffices.
const UNITS = [[10n ** 12n, 18, "ether"], [10n ** 9n, 9, "gwei"], [0n, 0, "wei"]];
const coins = (wei, upward = false) => {
  const [, decimals, unit] = UNITS.find(([least]) => wei >= least);
  const step = 10n ** BigInt(Math.max(0, decimals - 6));
  const text = ((wei + (upward ? step - 1n : 0n)) / step).toString().padStart(7, "0");
  return `${decimals ? `${text.slice(0, -6)}.${text.slice(-6)}`.replace(/\.?0+$/, "") : wei} ${unit}`;
};

async function look() {
  const answer = await fetch(location.pathname, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (answer.redirected || answer.status === 401) { say("You are no longer signed in. Sign in again to see how it goes; the transaction goes on without you.", "bad"); return false; }
  if (!answer.ok) return true;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = fresh.getElementById("progress");
  const shown = document.getElementById("progress");
  if (next && next.outerHTML !== shown.outerHTML) {
    shown.replaceWith(document.adoptNode(next));
    document.dispatchEvent(new Event("cairn:changed"));
  }
  return true;
}

async function follow(chosen, hash, untold = false) {
  let seen = false;
  for (;;) {
    try {
      if (untold && (await report(hash))) { untold = false; say("Sent. Waiting for the chain to take it in."); }
      if (!untold && !(await look())) return;
    } catch {
      say("The site can't be reached; trying again. The transaction goes on without it.");
    }
    if (isOver()) break;
    if (chosen && !seen && !untold) {
      try {
        const receipt = await wallet.ask(chosen, "eth_getTransactionReceipt", [hash]);
        if (receipt) { seen = true; say(`Your wallet's node has it in block ${BigInt(receipt.blockNumber)}. The site waits for its own node to say so.`); }
      } catch { /* the site's node is asked all the same */ }
    }
    await new Promise((done) => setTimeout(done, EVERY));
  }
  forget();
  place.hidden = true;
  const words = document.querySelector("#progress [role=status] p").lastChild.textContent.trim();
  say(words, stage() === "done" ? "good" : "bad");
}

async function report(hash) {
  try {
    await wallet.tell(`${location.pathname}/sent`, place.dataset.token, { hash });
    return true;
  } catch (fault) {
    say(`Sent as ${hash}, but the site could not be told, and is told again: ${wallet.shortened(fault.message, 240)}`, "bad");
    return false;
  }
}

async function send(chosen) {
  const request = JSON.parse(place.dataset.request);
  let hash;
  try {
    say("Your wallet is asked for your accounts.");
    const accounts = await wallet.ask(chosen, "eth_requestAccounts");
    if (!accounts.some((each) => wallet.same(each, request.from))) {
      return say(`You are signed in as ${request.from}, and your wallet offers ${accounts.join(", ") || "no account"}. Choose that account in the wallet, or sign out and in again with this one.`, "bad");
    }
    if (!(await wallet.toChain(chosen, BigInt(request.chainId), place.dataset.node, say))) return;
    const has = BigInt(await wallet.ask(chosen, "eth_getBalance", [request.from, "latest"]));
    const needs = BigInt(request.value) + BigInt(place.dataset.fee);
    if (has < needs) {
      return say(`Your account has ${coins(has)}, and value and gas take ${coins(needs, true)} together. Send it at least ${coins(needs - has, true)} more, and try again. Your wallet was not asked.`, "bad");
    }
    remember(ASKED);
    say("Your wallet asks you to confirm. Compare contract, amount and data with this page before you do.");
    hash = await wallet.ask(chosen, "eth_sendTransaction", [request]);
  } catch (fault) {
    forget();
    return say(wallet.words(fault), "bad");
  }
  remember(hash);
  say("Sent. Waiting for the chain to take it in.");
  await follow(chosen, hash, !(await report(hash)));
}

async function begin() {
  const last = remembered();
  if (isOver()) { forget(); return; }
  if (last && last !== ASKED && stage() === "unsent") {
    // The page was left between the wallet's answer and the site's.
    return follow(null, last, !(await report(last)));
  }
  if (stage() !== "unsent") return follow(null, place.dataset.hash);
  if (last === ASKED) say("Your wallet was asked before this page was loaded again. Look there first: if you confirmed it, it is under way; if not, ask it again.");
}

if (wallet && place) {
  if (!isOver()) wallet.chooser(place, stage() === "unsent" ? "Sign with" : "Send again with", send);
  begin();
}
