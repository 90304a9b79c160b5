// Signing in: the site writes a message, the wallet signs it, the site checks the signature. Nothing is sent to a chain.
const place = document.getElementById("wallets");
const said = document.getElementById("outcome");
const say = (text, kind = "") => { said.textContent = text; said.className = `outcome ${kind}`; };
const wallet = window.cairnWallet;

async function signIn(chosen) {
  const { token, after } = place.dataset;
  let account;
  let message;
  let signature;
  try {
    say("Your wallet is asked which account you want to use.");
    [account] = await wallet.ask(chosen, "eth_requestAccounts");
  } catch (fault) {
    return say(wallet.words(fault), "bad");
  }
  if (!account) return say("Your wallet has no account. Make one there, and try again.", "bad");
  try {
    ({ message } = await wallet.tell("/sign-in/message", token, { account }));
  } catch (fault) {
    return say(fault.message, "bad");
  }
  try {
    say("Your wallet is asked to sign. Compare the site's name in it with the one in the address bar.");
    signature = await wallet.ask(chosen, "personal_sign", [wallet.hexadecimal(message), account]);
  } catch (fault) {
    return say(wallet.words(fault), "bad");
  }
  try {
    const signed = await wallet.tell("/sign-in", token, { message, signature });
    say(`Signed in as ${signed.account}.`, "good");
  } catch (fault) {
    return say(fault.message, "bad");
  }
  location.assign(after);
}

if (wallet && place) wallet.chooser(place, "Sign in with", signIn);
