// Finds the visitor's wallets (EIP-6963, else EIP-1193), asks them, and says in words what they answer. It offers itself
// to the other scripts as `cairnWallet`, since scripts that import each other could not all be checked by digest.
(() => {
  const CHOSEN = "cairn-wallet";
  const LONGEST = 60;
  const wallets = new Map();
  const waiting = new Set();

  const shortened = (text, most) => { const all = String(text ?? "").replace(/\s+/g, " ").trim(); return all.length > most ? `${all.slice(0, most - 1)}…` : all; };
  const remembered = () => { try { return localStorage.getItem(CHOSEN); } catch { return null; } };
  const remember = (name) => { try { localStorage.setItem(CHOSEN, name); } catch { /* then it is asked again */ } };

  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = event.detail ?? {};
    if (!info?.uuid || typeof provider?.request !== "function") return;
    wallets.set(info.uuid, { name: shortened(info.name || "A wallet without a name", LONGEST), id: shortened(info.rdns || info.uuid, LONGEST), provider });
    waiting.forEach((tell) => tell());
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));

  const found = () => {
    const announced = [...wallets.values()];
    if (announced.length || typeof window.ethereum?.request !== "function") return announced;
    return [{ name: "This browser's wallet", id: "window.ethereum", provider: window.ethereum }];
  };

  // Wallets answer with numbers; the words of a wallet are shown as what they are, somebody else's.
  const WORDS = new Map([
    [4001, "You declined in your wallet. Nothing was sent, and nothing was changed."],
    [4100, "Your wallet has not let this site use the account. Open the wallet, allow it, and try again."],
    [4200, "Your wallet can't do this. Try another wallet."],
    [4900, "Your wallet is not connected to any chain. Check its network, and try again."],
    [4901, "Your wallet is not connected to the market's chain. Switch its network, and try again."],
    [4902, "Your wallet does not know the market's chain. Add it in the wallet's settings, and try again."],
    [-32002, "Your wallet still waits for an answer to an earlier question. Open it, answer, and try again."],
  ]);
  const words = (fault) => {
    const code = fault?.code ?? fault?.data?.originalError?.code;
    if (WORDS.has(code)) return WORDS.get(code);
    const said = shortened(fault?.data?.message || fault?.message || fault || "nothing", 240);
    if (/insufficient funds/i.test(said)) return `Your account has too little for value and gas, says the wallet: “${said}”. Send it more, and try again.`;
    return `Your wallet, or the node behind it, refused: “${said}”.`;
  };

  const same = (one, other) => String(one).toLowerCase() === String(other).toLowerCase();
  const ask = (wallet, method, params = []) => wallet.provider.request({ method, params });
  const hexadecimal = (text) => `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

  // Shows a button for each wallet, and again when another one announces itself.
  const chooser = (place, verb, chosen) => {
    const show = () => {
      const all = found();
      const last = remembered();
      all.sort((one, other) => Number(other.id === last) - Number(one.id === last));
      place.replaceChildren(...all.map((wallet) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${verb} ${wallet.name}`;
        button.dataset.wallet = wallet.id;
        button.addEventListener("click", async () => {
          remember(wallet.id);
          const buttons = [...place.querySelectorAll("button")];
          buttons.forEach((each) => { each.disabled = true; });
          try { await chosen(wallet); } finally { buttons.forEach((each) => { each.disabled = false; }); }
        });
        return button;
      }));
      if (!all.length) {
        const none = document.createElement("p");
        none.textContent = "This browser has no wallet, or has not let this page see one. Install one, or open this page in a wallet's own browser, then load it again.";
        place.append(none);
      }
    };
    waiting.add(show);
    // Wallets announce themselves at once; the sentence that there is none is not to flash.
    setTimeout(show, found().length ? 0 : 200);
  };

  // Brings the wallet to a chain; throws what the wallet throws.
  const toChain = async (wallet, chain, node, say) => {
    const wanted = `0x${BigInt(chain).toString(16)}`;
    const at = async () => BigInt(await ask(wallet, "eth_chainId"));
    if ((await at()) === BigInt(chain)) return true;
    say(`Your wallet is on another chain. It is asked to switch to chain ${chain}.`);
    try {
      await ask(wallet, "wallet_switchEthereumChain", [{ chainId: wanted }]);
    } catch (fault) {
      const code = fault?.code ?? fault?.data?.originalError?.code;
      if (code !== 4902 || !node) throw fault;
      say(`Your wallet does not know chain ${chain}. It is asked to add it, with the node ${node}.`);
      await ask(wallet, "wallet_addEthereumChain", [{ chainId: wanted, chainName: `Cairn local ${chain}`, rpcUrls: [node], nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 } }]);
    }
    if ((await at()) === BigInt(chain)) return true;
    say(`Your wallet is still on another chain. Switch it to chain ${chain} by hand, and try again.`);
    return false;
  };

  // Tells the site something; an answer that is no success is told in its own words.
  const tell = async (address, token, body) => {
    const answer = await fetch(address, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", "X-CSRF-Token": token }, body: JSON.stringify(body) });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    if ((answer.headers.get("Content-Type") ?? "").startsWith("application/json")) throw new Error(JSON.parse(text).error);
    const page = new DOMParser().parseFromString(text, "text/html");
    throw new Error(page.querySelector(".failure p:not(.status)")?.textContent ?? `The site answers with status ${answer.status}.`);
  };

  window.cairnWallet = Object.freeze({ ask, chooser, hexadecimal, same, shortened, tell, toChain, words });
})();
