// allauth only logs why a passkey or security key was not used; say it on the page.
document.addEventListener('allauth.error', function () {
  const page = document.querySelector('main .stack')
  let notice = document.getElementById('passkey-error')
  if (!notice) {
    notice = document.createElement('p')
    notice.id = 'passkey-error'
    notice.className = 'notice notice--error'
    notice.setAttribute('role', 'alert')
    page.prepend(notice)
  }
  notice.textContent =
    'The passkey or security key was not used: it was cancelled, took too long or is not known here. Try again, or choose another way.'
})
