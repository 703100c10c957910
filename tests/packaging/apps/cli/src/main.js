document.body.append('no key in here');
